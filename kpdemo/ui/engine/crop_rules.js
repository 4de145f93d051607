/**
 * A net's crop of a detected face; `kpdemo/models/crop_rules.py`.
 *
 * @typedef {object} Face In photo coordinates.
 * @property {[number, number, number, number]} box x0, y0, x1, y1.
 * @property {number} score
 * @property {import("./crop.js").Point[]} keypoints Right eye, left eye, nose tip, mouth, right ear, left ear.
 * @property {number} roll In degrees, clockwise on the screen.
 *
 * @typedef {object} Rule A linear map from a face's six points and 1 to a crop's centre and log width.
 * @property {number[][]} coefficients
 * @property {number} aspect
 */
import { scaled, square, toCrop, toPhoto } from "./crop.js";

/**
 * @param {{reference: string, scale: number}} framing
 * @param {Face} face
 * @param {Record<string, Rule>} rules Those of `crop_rules.json`.
 * @returns {import("./crop.js").Crop}
 */
export function fromFace(framing, face, rules) {
  const rule = rules[framing.reference];
  if (!rule) throw new Error(`The framing ${framing.reference} has not been measured.`);
  const [x0, y0, x1, y1] = face.box;
  const origin = square((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0 + y1 - y0) / 2, face.roll);
  const features = [...toCrop(origin, face.keypoints).flat(), 1];
  const [x, y, size] = [0, 1, 2].map((k) =>
    features.reduce((sum, value, row) => sum + value * rule.coefficients[row][k], 0),
  );
  const [[centerX, centerY]] = toPhoto(origin, [[x, y]]);
  const width = (Math.exp(size) * origin.width) / 2;
  return scaled({ x: centerX, y: centerY, width, height: width * rule.aspect, roll: face.roll }, framing.scale);
}
