/**
 * From a net's output to the app's answer: flip test, calibration, confidence, expected error;
 * `kpdemo/models/predict.py`.
 *
 * @typedef {object} Output Of `count` pictures, and after them of their mirror images where there are any.
 * @property {Float32Array} keypoints `(count or 2 count, K, 2)` in crop coordinates.
 * @property {Float32Array | null} heatmaps `(count or 2 count, K, height, width)`.
 * @property {number} height Of a heatmap.
 * @property {number} width
 *
 * @typedef {object} Settings
 * @property {number[]} mirror The point that each becomes in the mirror image.
 * @property {boolean} flipTest Whether the two predictions are averaged.
 * @property {Float32Array | null} calibration `(2K + 1, 2K)`.
 * @property {{levels: number[], slopes: [number, number]} | null} expectedError
 *
 * @typedef {object} Prediction Of one face.
 * @property {import("./crop.js").Point[]} keypoints In crop coordinates.
 * @property {number[] | null} confidence From 0 to 1.
 * @property {number[] | null} expectedError In percent of the distance between the outer eye corners.
 */

// The scale of confidence, as a share of the crop's side.
const TOLERANCE = 0.05;
// What the signals of an expected error cannot fall below.
const LEAST_APART = 0.001;
const LEAST_DOUBT = 0.005;

/**
 * @param {Output} output
 * @param {number} count
 * @param {Settings} settings
 * @returns {Prediction[]}
 */
export function predictions(output, count, settings) {
  return Array.from({ length: count }, (_, face) => prediction(output, count, face, settings));
}

/**
 * @param {Output} output
 * @param {number} count
 * @param {number} face
 * @param {Settings} settings
 * @returns {Prediction}
 */
function prediction(output, count, face, { mirror, flipTest, calibration, expectedError }) {
  const points = mirror.length;
  const twice = output.keypoints.length === 4 * count * points;
  const direct = picked(output.keypoints, face, points);
  const turned = twice ? mirrored(picked(output.keypoints, count + face, points), mirror) : null;
  const keypoints = turned && flipTest ? direct.map((point, k) => middle(point, turned[k])) : direct;
  const apart = turned && direct.map(([x, y], k) => Math.hypot(x - turned[k][0], y - turned[k][1]));
  let confidence = apart?.map((distance) => clamp(1 - distance / (2 * TOLERANCE))) ?? null;
  if (output.heatmaps) {
    const masses = mass(output, face, keypoints);
    if (turned && flipTest) {
      const others = mass(output, count + face, mirrored(keypoints, mirror));
      masses.forEach((sums, k) => {
        sums.near += others[mirror[k]].near;
        sums.total += others[mirror[k]].total;
      });
    }
    confidence = masses.map(({ near, total }) => clamp(near / Math.max(total, 1e-6)));
  }
  const expected =
    apart && confidence && expectedError
      ? apart.map((distance, k) => {
          const spread = Math.log(Math.max(distance / 2, LEAST_APART));
          const doubt = output.heatmaps ? Math.log(Math.max(1 - confidence[k], LEAST_DOUBT)) : 0;
          return Math.exp(expectedError.levels[k] + spread * expectedError.slopes[0] + doubt * expectedError.slopes[1]);
        })
      : null;
  return {
    keypoints: calibration ? calibrated(keypoints, calibration) : keypoints,
    confidence,
    expectedError: expected,
  };
}

/**
 * @param {import("./crop.js").Point[]} keypoints
 * @param {Float32Array} matrix
 * @returns {import("./crop.js").Point[]} Corrected by a linear map of all of them.
 */
function calibrated(keypoints, matrix) {
  const flat = [...keypoints.flat(), 1];
  const columns = 2 * keypoints.length;
  const moves = new Float64Array(columns);
  flat.forEach((value, row) => {
    for (let k = 0; k < columns; k += 1) moves[k] += value * matrix[row * columns + k];
  });
  return keypoints.map(([x, y], k) => [x + moves[2 * k], y + moves[2 * k + 1]]);
}

/**
 * The mass of a picture's heatmaps near its keypoints, and all of it.
 * @param {Output} output
 * @param {number} picture
 * @param {import("./crop.js").Point[]} keypoints
 */
function mass({ heatmaps, height, width }, picture, keypoints) {
  const maps = /** @type {Float32Array} */ (heatmaps);
  const size = height * width;
  return keypoints.map(([x, y], k) => {
    const start = (picture * keypoints.length + k) * size;
    let [near, total] = [0, 0];
    for (let row = 0, at = start; row < height; row += 1) {
      const along = Math.abs((2 * row + 1) / height - 1 - y) < 2 * TOLERANCE;
      for (let column = 0; column < width; column += 1, at += 1) {
        total += maps[at];
        if (along && Math.abs((2 * column + 1) / width - 1 - x) < 2 * TOLERANCE) near += maps[at];
      }
    }
    return { near, total };
  });
}

/**
 * @param {Float32Array} keypoints
 * @param {number} picture
 * @param {number} points
 * @returns {import("./crop.js").Point[]}
 */
function picked(keypoints, picture, points) {
  const start = 2 * picture * points;
  return Array.from({ length: points }, (_, k) => [keypoints[start + 2 * k], keypoints[start + 2 * k + 1]]);
}

/**
 * @param {import("./crop.js").Point[]} keypoints In crop coordinates.
 * @param {number[]} mirror
 * @returns {import("./crop.js").Point[]} As they are in the mirrored crop, or back.
 */
function mirrored(keypoints, mirror) {
  return mirror.map((k) => [-keypoints[k][0], keypoints[k][1]]);
}

/**
 * @param {import("./crop.js").Point} first
 * @param {import("./crop.js").Point} second
 * @returns {import("./crop.js").Point}
 */
function middle(first, second) {
  return [(first[0] + second[0]) / 2, (first[1] + second[1]) / 2];
}

/** @param {number} value */
function clamp(value) {
  return Math.min(1, Math.max(0, value));
}
