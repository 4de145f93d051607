// How far each model's points drift on a changed photo from where it put them on the untouched one.

import { isKnown, mean } from "../shared/common.js";
import { eyeDistance } from "./reference.js";
import { readingsOf } from "./value.js";

const NEAR = 0.6; // of a face's width: how far off one on the changed photo may be to be the same one
const NO_FACE = "No face found. Try a photo in which a face is larger, well lit, and looks towards the camera.";
const NO_POINTS = "None of the chosen models has points on this photo; choose others.";
const UNCHANGED = "This is the photo as it is: move a slider to change it.";

const width = ({ box: [x0, , x1] }) => x1 - x0;
const center = ({ box: [x0, y0, x1, y1] }) => [(x0 + x1) / 2, (y0 + y1) / 2];
const distance = ([x, y], [u, v]) => Math.hypot(x - u, y - v);

// A point through a matrix of two rows, and back.
export const mapped = ([x, y], matrix) => matrix.map(([a, b, c]) => a * x + b * y + c);
function unmapped([x, y], [[a, b, c], [d, e, f]]) {
  const [right, down, determinant] = [x - c, y - f, a * e - b * d];
  return [(e * right - b * down) / determinant, (a * down - d * right) / determinant];
}

// The points that are compared: MediaPipe's as iBUG's, the nets' own.
const pointsOf = (answer) => readingsOf(answer)["ibug-68"] ?? answer.keypoints;

// For each face before the nearest one after, null if none is near; none is taken twice.
function matches(before, after, matrix) {
  const pairs = before.flatMap((face, b) =>
    after.map((other, a) => ({ a, b, gap: distance(center(face), unmapped(center(other), matrix)) / width(face) })),
  );
  const found = before.map(() => null);
  for (const { a, b, gap } of pairs.sort((one, two) => one.gap - two.gap)) {
    if (gap <= NEAR && !found[b] && !found.includes(after[a])) found[b] = after[a];
  }
  return found;
}

// A face's eye distance by the baseline, or else by the first model that has the outer corners.
function unitOf({ models }, { panels, markups }) {
  const names = [...panels].sort((a, b) => b.baseline - a.baseline).map(({ name }) => name);
  const units = names
    .filter((name) => models[name])
    .map((name) => eyeDistance({ markup: models[name].markup, points: models[name].keypoints }, markups));
  return units.find(Boolean) ?? null;
}

// One model's drift over the faces: lines lead from where its points would be without drift to its points.
function modelOf({ name, title, color }, before, same, after, matrix, units) {
  const rows = before.flatMap(({ models: { [name]: answer } }, f) => {
    if (!answer) return [];
    const now = same[f]?.models[name];
    if (!now) return [null];
    const pairs = pointsOf(now).map((point, k) => [point, pointsOf(answer)[k]]);
    const share = (100 * mean(pairs.map(([point, old]) => distance(unmapped(point, matrix), old)))) / units[f];
    return [{ share, lines: pairs.map(([point, old]) => [...mapped(old, matrix), ...point]) }];
  });
  const kept = rows.filter(Boolean);
  return {
    name,
    title,
    color,
    percent: kept.length ? mean(kept.map(({ share }) => share)) : null,
    lost: rows.length - kept.length,
    faces: rows.length,
    points: after.flatMap(({ models: { [name]: answer } }) => (answer ? [pointsOf(answer).filter(isKnown)] : [])),
    lines: kept.map(({ lines }) => lines),
  };
}

const and = (titles) =>
  titles.length > 1 ? `${titles.slice(0, -1).join(", ")} and ${titles.at(-1)}` : (titles[0] ?? "");

// What the models made of the changed photo, in a few sentences.
function message(models, total, gone, more, isChanged) {
  if (!total) return NO_FACE;
  if (!models.length) return NO_POINTS;
  if (!isChanged) return UNCHANGED;
  if (gone === total) {
    const faces = { 1: "The face is", 2: "Both faces are" }[total] ?? `All ${total} faces are`;
    return `${faces} no longer detected, so no model has points.`;
  }
  const sentences = [];
  if (gone) sentences.push(`${gone} of the ${total} faces are no longer detected.`);
  if (more) sentences.push(`${more} more detected where the untouched photo has no face.`);
  const misses = models.filter(({ lost }) => lost > gone).map(({ title }) => title);
  if (misses.length) sentences.push(`No points any more from ${and(misses)}${total > 1 ? " on some" : ""}.`);
  const kept = models.filter(({ percent }) => percent !== null).sort((a, b) => a.percent - b.percent);
  if (kept.length > 1) {
    const [least, most] = [kept[0], kept.at(-1)];
    sentences.push(
      `${least.title} drifts least, by ${least.percent.toFixed(1)} % of the eye distance, ` +
        `${most.title} most, by ${most.percent.toFixed(1)} %.`,
    );
  }
  return sentences.join(" ");
}

// `before` and `after` are the results on the untouched and the changed photo, as `Comparison.to_dict()`,
// `matrix` leads from points of the one to points of the other, `eyes` has the distance between each face's eyes
// where no model has their corners. The models are those of the `comparison` on the page.
export function driftOf({ before, after, matrix, eyes, isChanged }, comparison) {
  const same = matches(before.faces, after.faces, matrix);
  const units = before.faces.map((face, f) => unitOf(face, comparison) ?? eyes[f]);
  const models = comparison.panels
    .map((panel) => modelOf(panel, before.faces, same, after.faces, matrix, units))
    .filter(({ faces }) => faces);
  const found = same.filter(Boolean).length;
  const [total, more] = [before.faces.length, after.faces.length - found];
  return { models, message: message(models, total, total - found, more, isChanged) };
}
