// Distances between answers, as `kpdemo/keypoints/agreement.py` defines them. An answer is one model's
// points on one face: {markup, points, readings}, where `readings` are its points by markup, its own
// and those that it is converted to. All coordinates are the photo's.

import { isKnown, mean } from "../shared/common.js";

const CONSENSUS = "consensus";
export const TRUTH = "truth";
const IBUG = "ibug-68";
const EYE_CORNERS = ["left_eye_outer_corner", "right_eye_outer_corner"];

// The page's markups, each with `single`: the place of the anatomy that a point alone stands for.
export function prepareMarkups(markups) {
  return Object.fromEntries(
    Object.entries(markups).map(([name, markup]) => {
      const single = markup.names.map(() => null);
      for (const [place, at] of Object.entries(markup.places)) {
        if (at.length === 1) single[at[0]] = place;
      }
      return [name, { ...markup, single }];
    }),
  );
}

// What a point is called across markups: its place, or else its number in its own markup.
export const keyOf = (name, { single }, k) => single[k] ?? `${name} ${k}`;

export const middle = (points, at) =>
  at?.length && at.every((k) => isKnown(points[k])) ? [0, 1].map((axis) => mean(at.map((k) => points[k][axis]))) : null;

// Where an answer has a place of the anatomy, or null.
export function placeOf({ markup, points, readings }, place, markups) {
  const own = markups[markup].places[place];
  if (own) return middle(points, own);
  const name = Object.keys(readings).find((reading) => markups[reading].places[place]);
  return name ? middle(readings[name], markups[name].places[place]) : null;
}

export function eyeDistance({ markup, points }, markups) {
  const [a, b] = EYE_CORNERS.map((place) => middle(points, markups[markup].places[place]));
  return a && b ? Math.hypot(a[0] - b[0], a[1] - b[1]) || null : null;
}

// The points that an answer and a reference share: the markup that they are compared in, and rows of
// a point of it, ours and theirs.
function pairs(answer, reference, markups) {
  const name = [reference.markup, answer.markup].find((each) => answer.readings[each] && reference.readings[each]);
  if (name) {
    const theirs = reference.readings[name];
    return [name, answer.readings[name].map((ours, k) => [k, ours, theirs[k]])];
  }
  const other = markups[reference.markup].places;
  const rows = Object.entries(markups[answer.markup].places)
    .filter(([place, at]) => at.length === 1 && other[place])
    .map(([place, [k]]) => [k, answer.points[k], middle(reference.points, other[place])]);
  return [answer.markup, rows];
}

// How far an answer lies from a reference: `gaps` has, by key, the pixels, the share in percent of the
// reference's eye distance (null without one), and both ends; `unit` is that distance in pixels.
export function measure(answer, reference, markups) {
  if (!answer || !reference) return null;
  const [name, rows] = pairs(answer, reference, markups);
  const unit = eyeDistance(reference, markups);
  const gaps = new Map();
  for (const [at, ours, theirs] of rows) {
    if (!isKnown(ours) || !isKnown(theirs)) continue;
    const pixels = Math.hypot(ours[0] - theirs[0], ours[1] - theirs[1]);
    gaps.set(keyOf(name, markups[name], at), { at, pixels, share: unit && (100 * pixels) / unit, ours, theirs });
  }
  return { markup: name, unit, gaps };
}

// One place's distance, also where the two are compared by other points.
export function gapAt(answer, reference, key, measured, markups) {
  const gap = measured?.gaps.get(key);
  if (gap || !answer || !reference) return gap ?? null;
  const [ours, theirs] = [answer, reference].map((each) => placeOf(each, key, markups));
  if (!ours || !theirs) return null;
  const pixels = Math.hypot(ours[0] - theirs[0], ours[1] - theirs[1]);
  const unit = eyeDistance(reference, markups);
  return { pixels, share: unit && (100 * pixels) / unit, ours, theirs };
}

const meanOrNull = (values) => {
  const numbers = values.filter((value) => value !== null && value !== undefined);
  return numbers.length ? mean(numbers) : null;
};

// The mean over faces, each of which counts the same: in percent, in pixels, in percent by group.
export function summarize(measures, markups) {
  const faces = measures.filter((each) => each?.gaps.size);
  const groups = {};
  for (const { markup, gaps } of faces) {
    const rows = [...gaps.values()];
    for (const [group, points] of Object.entries(markups[markup].groups)) {
      const share = meanOrNull(rows.filter(({ at }) => points.includes(at)).map((gap) => gap.share));
      if (share !== null) groups[group] = [...(groups[group] ?? []), share];
    }
  }
  const over = (field) => meanOrNull(faces.map(({ gaps }) => meanOrNull([...gaps.values()].map((gap) => gap[field]))));
  return {
    share: over("share"),
    pixels: over("pixels"),
    groups: Object.fromEntries(Object.entries(groups).map(([group, shares]) => [group, mean(shares)])),
    faces: faces.length,
  };
}

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

// The median of several answers in iBUG's points, per point and coordinate; null with fewer than two.
function consensus(answers) {
  const faces = answers.map((answer) => answer?.readings[IBUG]).filter(Boolean);
  if (faces.length < 2) return null;
  const points = faces[0].map((_, k) => {
    const spots = faces.map((face) => face[k]).filter(isKnown);
    return spots.length ? [0, 1].map((axis) => median(spots.map((spot) => spot[axis]))) : [null, null];
  });
  return { markup: IBUG, points, readings: { [IBUG]: points } };
}

// The references that there are for these panels, the default one first: `name`, `title`, `label` as
// a choice, and an answer for each face, null where there is none.
export function references(data, panels) {
  const options = [];
  if (data.truth) {
    const answers = data.faces.map(
      ({ truth: points }) => points && { markup: data.truth, points, readings: { [data.truth]: points } },
    );
    options.push({ name: TRUTH, title: "the ground truth", label: "Ground truth", answers });
  }
  const models = panels
    .filter((panel) => panel.faces.some(Boolean))
    .map(({ name, title, faces }) => ({ name, title, label: title, answers: faces }));
  const baseline = panels.find((panel) => panel.baseline)?.name;
  const nets = panels.filter((panel) => !panel.baseline);
  const medians = data.faces.map((_, f) => consensus(nets.map((panel) => panel.faces[f])));
  const all = medians.some(Boolean)
    ? [{ name: CONSENSUS, title: "the consensus of the nets", label: "Consensus of the nets", answers: medians }]
    : [];
  const first = models.filter(({ name }) => name === baseline);
  return [...options, ...first, ...all, ...models.filter(({ name }) => name !== baseline)];
}
