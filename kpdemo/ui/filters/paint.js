// How numbers become colours.

import { decodeBase64, make } from "../shared/common.js";

// ColorBrewer's RdBu, which eyes with any colour blindness tell apart; white is zero.
const STOPS = [
  [5, 48, 97],
  [33, 102, 172],
  [67, 147, 195],
  [146, 197, 222],
  [209, 229, 240],
  [247, 247, 247],
  [253, 219, 199],
  [244, 165, 130],
  [214, 96, 77],
  [178, 24, 43],
  [103, 0, 31],
];
const NO_CELL = -128;

export const decodeSigned = (base64) => new Int8Array(decodeBase64(base64).buffer);

// A number from -1 to 1 -> red, green, blue.
export function colorOf(value) {
  const at = ((Math.max(-1, Math.min(1, value)) + 1) / 2) * (STOPS.length - 1);
  const below = Math.min(Math.floor(at), STOPS.length - 2);
  return STOPS[below].map((from, channel) => from + (at - below) * (STOPS[below + 1][channel] - from));
}

// A colour for each number from -127 to 127, its four bytes as one number: there are many cells.
const palette = (colorAt) =>
  new Uint32Array(
    Uint8ClampedArray.from(Array.from({ length: 255 }, (_, at) => colorAt((at - 127) / 127)).flat()).buffer,
  );
export const COLORS = palette((value) => [...colorOf(value), 255]);
// As a veil over a picture, zero is clear and only the sign has a colour.
export const VEIL = palette((value) => [...colorOf(0.8 * Math.sign(value)), 230 * Math.abs(value) ** 0.7]);

// A canvas with one pixel a cell. `shape` is planes, rows, columns (three planes are red, green and
// blue), `from` where its bytes start; `gain`, at most 1, scales them.
export function paint(bytes, from, [planes, rows, columns], gain = 1, colors = COLORS) {
  const canvas = make("canvas", { width: columns, height: rows, "aria-hidden": "true" });
  const pixels = new ImageData(columns, rows);
  const into = new Uint32Array(pixels.data.buffer);
  const cells = rows * columns;
  for (let cell = 0; cell < cells; cell += 1) {
    const value = bytes[from + cell];
    if (value === NO_CELL) continue;
    if (planes === 1) {
      into[cell] = colors[Math.round(gain * value) + 127];
    } else {
      const color = [0, 1, 2].map((plane) => 127.5 + gain * bytes[from + plane * cells + cell]);
      pixels.data.set([...color, 255], 4 * cell);
    }
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

// As wide as fits into `side` with all cells of the same whole number of pixels, where there is room.
export function fitCells(canvas, side) {
  const longer = Math.max(canvas.width, canvas.height);
  const step = side >= longer ? Math.floor(side / longer) : side / longer;
  canvas.style.width = `${canvas.width * step}px`;
  canvas.style.height = `${canvas.height * step}px`;
  return canvas;
}

export const paintKernel = (data, bytes, k, gain = 1) =>
  paint(bytes, k * data.shape[0] * data.shape[1] * data.shape[2], data.shape, gain);
