/**
 * Crops: a net's view of a photo, and the way back to photo coordinates; `kpdemo/faces/crop.py`.
 *
 * Photo coordinates are pixels with centres on integers. Crop coordinates run from -1 to 1 between
 * the crop's outer edges.
 *
 * @typedef {[number, number]} Point
 * @typedef {object} Crop A rectangle on a photo, turned by `roll` degrees, clockwise on the screen.
 * @property {number} x Its centre.
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {number} roll
 */
import { black, halfEven } from "./pixels.js";

/**
 * @param {number} x
 * @param {number} y
 * @param {number} side
 * @param {number} [roll]
 * @returns {Crop} A square.
 */
export function square(x, y, side, roll = 0) {
  return { x, y, width: side, height: side, roll };
}

/**
 * @param {Crop} crop
 * @param {number} factor
 * @returns {Crop} The same centre and roll with both sides times `factor`.
 */
export function scaled(crop, factor) {
  return { ...crop, width: crop.width * factor, height: crop.height * factor };
}

/**
 * @param {Crop} crop
 * @returns {[number, number, number, number, number, number]} a, b, c, d, e, f of the map from crop
 *   to photo coordinates: x' = a x + b y + c, y' = d x + e y + f.
 */
export function matrix({ x, y, width, height, roll }) {
  const angle = (roll * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [(cos * width) / 2, (-sin * height) / 2, x, (sin * width) / 2, (cos * height) / 2, y];
}

/**
 * @param {Crop} crop
 * @param {Point[]} points In crop coordinates.
 * @returns {Point[]} In photo coordinates.
 */
export function toPhoto(crop, points) {
  const [a, b, c, d, e, f] = matrix(crop);
  return points.map(([x, y]) => [a * x + b * y + c, d * x + e * y + f]);
}

/**
 * @param {Crop} crop
 * @param {Point[]} points In photo coordinates.
 * @returns {Point[]} In crop coordinates.
 */
export function toCrop(crop, points) {
  const [a, b, c, d, e, f] = matrix(crop);
  const determinant = a * e - b * d;
  return points.map(([x, y]) => {
    const [right, down] = [x - c, y - f];
    return [(e * right - b * down) / determinant, (a * down - d * right) / determinant];
  });
}

/**
 * The crop as a picture of that size; black where it leaves the photo.
 *
 * Shrinking more than twice would alias under bilinear sampling, so the crop is then sampled at a
 * multiple of its size and averaged down.
 * @param {Crop} crop
 * @param {import("./pixels.js").Picture} photo
 * @param {number} height
 * @param {number} width
 * @returns {import("./pixels.js").Picture}
 */
export function cut(crop, photo, height, width) {
  const factor = Math.floor(Math.min(8, Math.max(1, Math.min(crop.width / width, crop.height / height))));
  const { channels } = photo;
  const picture = black(width, height, channels);
  const round = factor === 2 ? Math.round : halfEven;
  const [w, h] = [width * factor, height * factor];
  const [a, b, c, d, e, f] = matrix(crop);
  // Pixel i of the result is crop coordinate (2i + 1) / size - 1.
  const [right, down] = [(2 * a) / w, (2 * b) / h];
  const [rightY, downY] = [(2 * d) / w, (2 * e) / h];
  const startX = a * (1 / w - 1) + b * (1 / h - 1) + c;
  const startY = d * (1 / w - 1) + e * (1 / h - 1) + f;
  const row = new Float64Array(width * channels);
  const sample = new Float64Array(channels);
  for (let y = 0; y < height; y += 1) {
    row.fill(0);
    for (let j = y * factor; j < (y + 1) * factor; j += 1)
      for (let x = 0; x < width; x += 1)
        for (let i = x * factor; i < (x + 1) * factor; i += 1) {
          bilinear(photo, right * i + down * j + startX, rightY * i + downY * j + startY, sample);
          for (let k = 0; k < channels; k += 1) row[x * channels + k] += sample[k];
        }
    for (let k = 0; k < row.length; k += 1) picture.data[y * row.length + k] = round(row[k] / factor ** 2);
  }
  return picture;
}

/**
 * A photo between its pixels, in whole numbers; black outside of it.
 * @param {import("./pixels.js").Picture} photo
 * @param {number} x
 * @param {number} y
 * @param {Float64Array} sample Its channels, to be filled.
 */
function bilinear({ data, width, height, channels }, x, y, sample) {
  const left = Math.floor(x);
  const top = Math.floor(y);
  if (left < -1 || top < -1 || left >= width || top >= height) {
    sample.fill(0);
    return;
  }
  const across = x - left;
  const along = y - top;
  const at = (top * width + left) * channels;
  const below = at + width * channels;
  if (left >= 0 && top >= 0 && left + 1 < width && top + 1 < height) {
    for (let k = 0; k < channels; k += 1) {
      const upper = data[at + k] * (1 - across) + data[at + channels + k] * across;
      const lower = data[below + k] * (1 - across) + data[below + channels + k] * across;
      sample[k] = Math.floor(upper * (1 - along) + lower * along + 0.5);
    }
    return;
  }
  const [hasLeft, hasRight] = [left >= 0, left + 1 < width];
  const [hasTop, hasBottom] = [top >= 0, top + 1 < height];
  for (let k = 0; k < channels; k += 1) {
    const upper =
      (hasTop && hasLeft ? data[at + k] : 0) * (1 - across) +
      (hasTop && hasRight ? data[at + channels + k] : 0) * across;
    const lower =
      (hasBottom && hasLeft ? data[below + k] : 0) * (1 - across) +
      (hasBottom && hasRight ? data[below + channels + k] : 0) * across;
    sample[k] = Math.floor(upper * (1 - along) + lower * along + 0.5);
  }
}
