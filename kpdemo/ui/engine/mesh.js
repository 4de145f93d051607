/**
 * MediaPipe's mesh in iBUG's 68 points and Kaggle's 15; `kpdemo/models/mesh_to_ibug.py`.
 *
 * @typedef {import("./crop.js").Point} Point
 * @typedef {object} Readings
 * @property {number[][]} ibug For each of iBUG's points those of the mesh whose mean it is.
 * @property {number[][]} kaggle For each of Kaggle's points those of iBUG's whose mean it is.
 * @property {[number, number]} eyes The outer eye corners of the mesh, right and left.
 * @property {import("./safetensors.js").Tensor} matrix Fitted: the mesh in its eye frame, and 1, to offsets.
 */
import { square, toCrop, toPhoto } from "./crop.js";

/**
 * @param {Point[]} mesh
 * @param {Readings} readings
 * @returns {Record<string, Point[]>} The mesh's points converted, by their names in the JSON of a comparison.
 */
export function converted(mesh, readings) {
  const picked = means(mesh, readings.ibug);
  const frame = eyeFrame(mesh, readings.eyes);
  const features = [...toCrop(frame, mesh).flat(), 1];
  const { shape, values } = readings.matrix;
  const offsets = new Float64Array(shape[1]);
  features.forEach((feature, row) => {
    for (let k = 0; k < offsets.length; k += 1) offsets[k] += feature * values[row * shape[1] + k];
  });
  const moved = toCrop(frame, picked).map(
    ([x, y], k) => /** @type {Point} */ ([x + offsets[2 * k], y + offsets[2 * k + 1]]),
  );
  const fitted = toPhoto(frame, moved);
  return { "ibug-68": picked, "ibug-68-fitted": fitted, "kaggle-15-fitted": means(fitted, readings.kaggle) };
}

/**
 * The frame in which faces are alike: origin between the outer eye corners, unit their distance, upright.
 * @param {Point[]} mesh
 * @param {[number, number]} eyes
 */
function eyeFrame(mesh, eyes) {
  const [[rightX, rightY], [leftX, leftY]] = eyes.map((k) => mesh[k]);
  const [across, down] = [leftX - rightX, leftY - rightY];
  const roll = (Math.atan2(down, across) * 180) / Math.PI;
  return square((rightX + leftX) / 2, (rightY + leftY) / 2, 2 * Math.hypot(across, down), roll);
}

/**
 * @param {Point[]} points
 * @param {number[][]} groups
 * @returns {Point[]} The mean of each group of points.
 */
export function means(points, groups) {
  return groups.map((group) => {
    const [x, y] = group.reduce(([left, top], k) => [left + points[k][0], top + points[k][1]], [0, 0]);
    return [x / group.length, y / group.length];
  });
}
