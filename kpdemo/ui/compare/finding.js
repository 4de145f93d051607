// What a comparison shows, in one sentence that claims no more than was measured.

import { plural } from "../shared/common.js";

const FAR = 10; // percent of the eye distance: beyond it, models mean different places
const TIE = 0.1; // percent: a smaller lead is none, since the page rounds to as much

export const formatShare = (share) => `${share.toFixed(1)} %`;
const upwards = (share) => `${(Math.ceil(10 * share - 1e-9) / 10).toFixed(1)} %`;

const list = (titles) =>
  titles.length > 1 ? `${titles.slice(0, -1).join(", ")} and ${titles.at(-1)}` : (titles[0] ?? "");

// The models closest to the reference: several where they cannot be told apart.
export function closest(rows) {
  const known = rows.filter(({ share }) => share !== null).sort((a, b) => a.share - b.share);
  return known.filter(({ share }) => share - known[0].share < TIE);
}

// `pairs` are of all models against all: titles `a` and `b`, the mean `share`, the shares by group.
function farthestGroup(pairs) {
  let worst = null;
  for (const { a, b, groups } of pairs) {
    for (const [group, share] of Object.entries(groups)) {
      if (!worst || share > worst.share) worst = { a, b, group, share };
    }
  }
  return worst;
}

// `faces` is how many are compared, `reference` has a `title`, `rows` are the other models' distances
// to it: `title`, `share`, `groups`. `models` is how many have points.
export function sentence({ faces, models, reference, isTruth, rows, pairs }) {
  if (!models) return "";
  const where = faces > 1 ? `On ${faces} faces: ` : "";
  const known = rows.filter(({ share }) => share !== null);
  if (isTruth && known.length) return where + capital(toTruth(known), !where);
  const far = farthestGroup(pairs);
  const measured = pairs.filter(({ share }) => share !== null);
  if (measured.length && models > 2) {
    const most = measured.reduce((one, two) => (two.share > one.share ? two : one));
    const spread =
      most.share <= FAR
        ? `all ${models} models lie within ${upwards(most.share)} of the eye distance of each other on average`
        : `the models disagree: ${most.a} and ${most.b} lie ${formatShare(most.share)} of the eye distance apart on average`;
    const part = far ? `; they differ most at the ${far.group} (${far.a} and ${far.b}, ${formatShare(far.share)})` : "";
    const scope = measured.length < pairs.length ? "where they can be compared, " : "";
    return where + capital(`${scope}${spread}${part}.`, !where);
  }
  if (known.length) {
    const [{ title, share, groups }] = known;
    const [group, most] = Object.entries(groups).sort((a, b) => b[1] - a[1])[0] ?? [];
    const part = group ? `, most at the ${group} (${formatShare(most)})` : "";
    return `${where}${title} lies ${formatShare(share)} of the eye distance from ${reference.title} on average${part}.`;
  }
  return models === 1
    ? "One model has points here: choose another one to see where they part."
    : "These models share no point that could be compared.";
}

function toTruth(known) {
  const best = closest(known);
  const worst = known.reduce((one, two) => (two.share > one.share ? two : one));
  const nearest = `closest to the ground truth on average: ${list(best.map(({ title }) => title))}, ${formatShare(best[0].share)} of the eye distance`;
  return best.includes(worst) ? `${nearest}.` : `${nearest}; farthest: ${worst.title}, ${formatShare(worst.share)}.`;
}

const capital = (text, first) => (first ? text[0].toUpperCase() + text.slice(1) : text);

// What screen readers hear when a comparison is there.
export function announcement({ faces, models, reference, rows }) {
  const count = `${plural(faces, "face")}, ${plural(models, "model")}`;
  const best = closest(rows);
  if (!reference || !best.length) return count;
  return `${count}; closest to ${reference.title}: ${list(best.map(({ title }) => title))}, ${formatShare(best[0].share)}`;
}
