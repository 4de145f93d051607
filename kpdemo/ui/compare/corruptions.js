// A photo made worse in this browser, as `kpdemo/media/corruptions.py` and `kpdemo/engine/degrade.py` do it.
// Pictures are those of the engine's `pixels.js`. What moves pixels also gives the matrix, in two rows, from
// points of the old picture to points of the new one.

import { cut } from "../engine/crop.js";
import { black, halfEven, shrunk } from "../engine/pixels.js";

const GREY = 128;
const MIN_SIDE = 16; // pixels: no smaller picture is compared
const PASSES = 3; // box filters one after another, which come close to a Gaussian
export const IDENTITY = [
  [1, 0, 0],
  [0, 1, 0],
];
// The covered part of a face's box, as the shares x0, y0, x1, y1 for a covered share.
const SIDES = {
  below: (share) => [0, 1 - share, 1, 1],
  above: (share) => [0, 0, 1, share],
  left: (share) => [0, 0, share, 1],
  right: (share) => [1 - share, 0, 1, 1],
};

const copy = (picture) => ({ ...picture, data: picture.data.slice() });

// A grey rectangle from its upper left corner to its lower right one, which is outside.
export function cover(picture, corners) {
  const { width, height, channels } = picture;
  const covered = copy(picture);
  const [x0, y0, x1, y1] = corners.map((side) => Math.max(0, halfEven(side)));
  for (let y = y0; y < Math.min(y1, height); y += 1) {
    covered.data.fill(GREY, (y * width + x0) * channels, (y * width + Math.min(x1, width)) * channels);
  }
  return covered;
}

// Rotated clockwise about the centre; the picture grows to hold all of it.
export function turn(picture, degrees) {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const size = (a, b) => Math.ceil(Math.abs(a) * picture.width + Math.abs(b) * picture.height);
  const [width, height] = [size(cos, sin), size(sin, cos)];
  const [x, y] = [(picture.width - 1) / 2, (picture.height - 1) / 2];
  const matrix = [
    [cos, -sin, (width - 1) / 2 - cos * x + sin * y],
    [sin, cos, (height - 1) / 2 - sin * x - cos * y],
  ];
  return [cut({ x, y, width, height, roll: -degrees }, picture, height, width), matrix];
}

export function darken(picture, factor) {
  return { ...picture, data: picture.data.map((value) => halfEven(value * factor)) };
}

// Both sides times `scale`, at most 1.
function resize(picture, scale) {
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, halfEven(side * scale)));
  const [across, down] = [width / picture.width, height / picture.height];
  const matrix = [
    [across, 0, 0.5 * across - 0.5],
    [0, down, 0.5 * down - 0.5],
  ];
  return [shrunk(picture, width, height), matrix];
}

// Convolved with a Gaussian of `sigma` pixels; at the edges it sees the picture mirrored.
export function blur(picture, sigma) {
  const { width, height, channels } = picture;
  const values = Float32Array.from(picture.data);
  // Each box has its share of the Gaussian's variance: `edge` is the weight of the values at its two ends.
  const variance = sigma ** 2 / PASSES;
  const radius = Math.floor((Math.sqrt(12 * variance + 1) - 1) / 2);
  const squares = (radius * (radius + 1) * (2 * radius + 1)) / 3;
  const edge = (variance * (2 * radius + 1) - squares) / (2 * (radius + 1) ** 2 - 2 * variance);
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (let y = 0; y < height; y += 1)
      for (let c = 0; c < channels; c += 1) average(values, y * width * channels + c, channels, width, radius, edge);
    for (let x = 0; x < width * channels; x += 1) average(values, x, width * channels, height, radius, edge);
  }
  const result = black(width, height, channels);
  values.forEach((value, at) => {
    result.data[at] = halfEven(value);
  });
  return result;
}

// Replaces `count` values, `step` apart from `start` on, by their means over a radius.
function average(values, start, step, count, radius, edge) {
  const line = Float32Array.from({ length: count }, (_, k) => values[start + k * step]);
  const period = Math.max(1, 2 * count - 2);
  const at = (k) => {
    const inside = ((k % period) + period) % period;
    return line[inside < count ? inside : period - inside];
  };
  let sum = 0;
  for (let k = -radius; k <= radius; k += 1) sum += at(k);
  for (let k = 0; k < count; k += 1) {
    const ends = at(k - radius - 1) + at(k + radius + 1);
    values[start + k * step] = (sum + edge * ends) / (2 * radius + 1 + 2 * edge);
    sum += at(k + radius + 1) - at(k - radius);
  }
}

// The changed picture, and the matrix to it; `compress` saves a picture as JPEG of a quality, and reads it again.
export async function degrade(picture, boxes, settings, compress) {
  let [changed, matrix] = [picture, IDENTITY];
  if (settings.cover) {
    const shares = SIDES[settings.side](settings.cover / 100);
    for (const [x0, y0, x1, y1] of boxes) {
      const sides = [x1 - x0, y1 - y0];
      changed = cover(
        changed,
        shares.map((share, k) => [x0, y0][k % 2] + share * sides[k % 2]),
      );
    }
  }
  if (settings.turn) [changed, matrix] = turn(changed, settings.turn);
  if (settings.darkness) changed = darken(changed, 1 - settings.darkness / 100);
  if (settings.blur && boxes.length) {
    const widest = Math.max(...boxes.map(([x0, , x1]) => x1 - x0));
    changed = blur(changed, (settings.blur / 100) * widest);
  }
  if (settings.size < 100) {
    const scale = Math.min(1, Math.max(settings.size / 100, MIN_SIDE / Math.min(changed.width, changed.height)));
    const [smaller, after] = resize(changed, scale);
    matrix = matrix.map(([a, b, c], k) => [a * after[k][k], b * after[k][k], c * after[k][k] + after[k][2]]);
    changed = smaller;
  }
  if (settings.quality < 100) changed = await compress(changed, settings.quality / 100);
  return [changed, matrix];
}
