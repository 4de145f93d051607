// What there is to say about a point, or about all of them: each model's distance to the reference.

import { isKnown, mean } from "../shared/common.js";
import { formatShare } from "./finding.js";
import { keyOf } from "./reference.js";

function meaning({ reference, isTruth }) {
  if (!reference) return "";
  return `${isTruth ? "error" : "distance"} to ${reference.title}, in % of the eye distance`;
}

// A row of the bar; `none` is said where there is no distance.
function row(comparison, panel, { share, pixels, none, expected }) {
  const isReference = comparison.isReference(panel) && none === "–";
  const known = [
    share !== null && formatShare(share),
    comparison.isTruth && pixels !== null && `${pixels.toFixed(1)} px`,
  ];
  const text = known.filter(Boolean).join(", ") || (isReference ? "reference" : none);
  return { name: panel.name, title: panel.title, color: panel.color, share, text, ...expected };
}

// What error a model expects of its points `at` on some faces, if it says so: as a `note`, in percent of
// the eye distance, and in `pixels` of the photo, as the circles are drawn.
function expectation(answers, at = null) {
  const over = (field) =>
    answers.filter((answer) => answer?.[field]).flatMap((answer) => at?.map((k) => answer[field][k]) ?? answer[field]);
  const [shares, pixels] = [over("expected_error"), over("radii")];
  return {
    note: shares.length ? `expected error ${formatShare(mean(shares))}` : "",
    pixels: pixels.length ? `, ${mean(pixels).toFixed(1)} px` : "",
  };
}

// On a point of a face of one of the comparison's panels.
export function atPoint(comparison, { panel: origin, face, point }) {
  const key = keyOf(origin.markup, origin, point);
  const rows = comparison.panels.map((panel) => {
    const answer = panel.faces[face];
    const isOrigin = panel.name === origin.name;
    const spot = isOrigin ? origin.faces[face].points[point] : comparison.place(answer, key);
    const at = isOrigin && panel.markup === origin.markup ? [point] : (panel.places[key] ?? []);
    const gap = comparison.gap(panel, face, key);
    return row(comparison, panel, {
      share: gap?.share ?? null,
      pixels: gap?.pixels ?? null,
      none: answer ? (isKnown(spot) ? "–" : "no such landmark") : "no face here",
      expected: expectation(isKnown(spot) && at.length ? [answer] : [], at),
    });
  });
  const name = origin.names[point];
  const where = comparison.data.faces.length > 1 ? `face ${face + 1}, ` : "";
  const spoken = rows
    .filter(({ share, note }) => share !== null || note)
    .map(({ title, text, note }) => [title, text, note].join(" ").trim());
  return {
    title: name,
    meaning: `${where}${meaning(comparison)}`,
    rows,
    spoken: [`${origin.title}, ${name}`, ...spoken].join("; "),
  };
}

// On all points of some faces, by number.
export function onAverage(comparison, faces) {
  const rows = comparison.panels.map((panel) => {
    const { share, pixels } = comparison.summary(panel, faces);
    const none = faces.some((f) => panel.faces[f]) ? "–" : "no face here";
    const expected = expectation(faces.map((f) => panel.faces[f]));
    return row(comparison, panel, { share, pixels, none, expected });
  });
  return { title: "All points, on average", meaning: meaning(comparison), rows };
}
