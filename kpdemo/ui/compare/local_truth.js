// Ground truth for a photo that was compared in this browser: whose face it is, and what to say of it;
// `ground_truth.py` and `kpdemo/keypoints/annotations.py`. Ground truth is {file, sets, chosen}, where `sets` are
// those of `truth_file.js` and `chosen` is the name of one.

import { isKnown, mean, plural } from "../shared/common.js";
import { eyeDistance } from "./reference.js";
import { readTruth } from "./truth_file.js";
import { readingsOf } from "./value.js";

const INSIDE = 0.5; // the least share of points inside a face's box; iBUG's jaw often leaves it
const ROUNDING = 0.006; // pixels by which points that were written with two decimals may differ
const NO_FACE = "The ground truth matches none of the detected faces; choose the file that belongs to this photo.";

// The ground truth in a file, with the set that was edited chosen; throws a sentence for the visitor.
export function truthFrom(file, text, result, { markups }) {
  const sets = readTruth(file, text, result.photo, markups);
  return withSet({ file, sets, chosen: mostEdited(sets, result.faces) }, result);
}

// The ground truth itself, where it matches a face; throws a sentence where it matches none.
export function withSet(truth, result) {
  if (!truthOfFaces(truth, result.faces).some(Boolean)) throw new Error(NO_FACE);
  return truth;
}

// For each detected face its points, or null. Every marked face goes to the detected one whose box holds the
// largest share of its points, and the nearest of those that hold as many.
export function truthOfFaces({ sets, chosen }, faces) {
  const marked = sets[chosen].faces;
  const claims = marked
    .flatMap((points, m) => faces.map(({ box }, f) => ({ ...cost(points, box), m, f })))
    .sort((a, b) => a.outside - b.outside || a.distance - b.distance || a.m - b.m || a.f - b.f);
  const assigned = new Set();
  const found = faces.map(() => null);
  for (const { outside, m, f } of claims) {
    if (outside > 1 - INSIDE || assigned.has(m) || found[f]) continue;
    found[f] = marked[m];
    assigned.add(m);
  }
  return found;
}

function cost(points, [x0, y0, x1, y1]) {
  const known = points.filter(isKnown);
  const beyond = known.filter(([x, y]) => x < x0 || y < y0 || x > x1 || y > y1);
  const [x, y] = [0, 1].map((axis) => mean(known.map((point) => point[axis])));
  return { outside: beyond.length / known.length, distance: Math.hypot(x - (x0 + x1) / 2, y - (y0 + y1) / 2) };
}

// The set that differs most from the answer of the model of its name: the one that a person corrected.
function mostEdited(sets, faces) {
  const edited = (name) => {
    const shifts = truthOfFaces({ sets, chosen: name }, faces).map((points, f) => {
      const answer = faces[f].models[name];
      if (!points) return 0;
      if (answer?.markup !== sets[name].markup) return Number.POSITIVE_INFINITY;
      return mean(points.map((point, k) => (isKnown(point) ? apart(point, answer.keypoints[k]) : 0)));
    });
    return Math.max(0, ...shifts);
  };
  const names = Object.keys(sets);
  const moved = names.map(edited);
  return names[moved.indexOf(Math.max(...moved))];
}

const apart = ([x, y], [otherX, otherY]) => Math.hypot(x - otherX, y - otherY);

// The model whose own points these are, or null.
function source(markup, found, faces) {
  const pairs = found.map((points, f) => [points, faces[f]]).filter(([points]) => points);
  const names = new Set(pairs.flatMap(([, { models }]) => Object.keys(models)));
  const isCopy = (points, answer) => {
    const same = answer && readingsOf(answer)[markup];
    const near = (point, k) =>
      isKnown(point) && [0, 1].every((axis) => Math.abs(point[axis] - same[k][axis]) <= ROUNDING);
    return Boolean(same) && points.every(near);
  };
  return [...names].find((name) => pairs.every(([points, { models }]) => isCopy(points, models[name]))) ?? null;
}

// What the page says of it: `says` and `warning` in words, and the sets to choose from.
export function describeTruth(truth, result, { models, markups }) {
  const titleOf = (name) => models[name]?.title ?? name;
  const { markup, faces: marked } = truth.sets[truth.chosen];
  const found = truthOfFaces(truth, result.faces);
  const numbers = found.flatMap((points, f) => (points ? [f + 1] : []));
  const whose = numbers.length === 1 ? `face ${numbers[0]}` : plural(numbers.length, "face");
  const rest = marked.length - numbers.length;
  const left = rest ? `; ${rest} of its faces match no detected face` : "";
  const name = source(markup, found, result.faces);
  const warning = name
    ? `These are ${titleOf(name)}’s own points, so its error is 0 and the others’ are their distances to ${titleOf(name)}: mark the face yourself for errors.`
    : "";
  const sentences = [
    `${truth.file} belongs to ${whose}${left}.`,
    ...gaps(markup, found.filter(Boolean), markups),
    warning,
  ];
  return {
    says: sentences.filter(Boolean).join(" "),
    warning,
    sets: Object.keys(truth.sets).map((set) => [set, titleOf(set)]),
    chosen: truth.chosen,
  };
}

// Sentences on the points that the ground truth lacks.
function gaps(markup, faces, markups) {
  const total = faces.flat().length;
  const known = faces.flat().filter(isKnown).length;
  const sentences = known < total ? [`${known} of the ${total} points are known; the others are ignored.`] : [];
  if (faces.some((points) => !eyeDistance({ markup, points }, markups)))
    sentences.push("Without both outer eye corners, errors are in pixels alone.");
  return sentences;
}
