// Maps are a row of cells for each point, 0 to 255 of the point's own peak.

import { make } from "../shared/common.js";

// Unpacks the maps from the one picture that holds them: `cells[k]` are those of point k.
export async function unpack(panel) {
  const picture = new Image();
  picture.src = panel.sprite;
  await picture.decode();
  const { width, height } = picture;
  const canvas = make("canvas", { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const [w, h] = panel.grid;
  return panel.names.map((_, k) => {
    const left = (k % panel.columns) * w;
    const top = Math.floor(k / panel.columns) * h;
    return Uint8Array.from(
      { length: w * h },
      (_, at) => rgba[4 * ((top + Math.floor(at / w)) * width + left + (at % w))],
    );
  });
}

// One map from those of some points: of heatmaps the highest, of moves the mean. Each heatmap counts
// by its own peak, 0 to 1, or in the panel's unit, `panel.toScale` times its height.
export function mergeMaps(panel, at, ownPeaks) {
  const map = new Float32Array(panel.cells[0].length);
  for (const k of at) {
    const cells = panel.cells[k];
    const most = panel.kind === "moves" ? panel.top[k] : ownPeaks ? 1 : panel.top[k] * panel.toScale;
    for (let i = 0; i < map.length; i++) {
      const value = (cells[i] / 255) * most;
      if (panel.kind === "moves") map[i] += value / at.length;
      else map[i] = Math.max(map[i], value);
    }
  }
  return { map, top: map.reduce((most, value) => Math.max(most, value), 0) };
}

// A map in colours, of which the last stands for `top`.
export function paint({ whole, colors }, map, top) {
  const { width, height } = whole.canvas;
  const pixels = new ImageData(width, height);
  const into = new Uint32Array(pixels.data.buffer);
  map.forEach((value, i) => {
    into[i] = colors[top > 0 ? Math.round((255 * value) / top) : 0];
  });
  return pixels;
}

// The scale as 256 whole pixels. A heatmap is zero nearly everywhere, and must not hide the face there;
// a map of moves covers all of it, and the face has to show through.
export function colorsOf(scale, kind) {
  const pixels = new Uint8ClampedArray(4 * 256);
  for (let k = 0; k < 256; k++) {
    const share = k / 255;
    const opacity = kind === "moves" ? 0.25 + 0.5 * share : Math.min(0.85, 2.5 * share);
    pixels.set([...scale.subarray(3 * k, 3 * k + 3), 255 * opacity], 4 * k);
  }
  return new Uint32Array(pixels.buffer);
}

export const gradient = (scale) =>
  Array.from({ length: 9 }, (_, k) => {
    const from = 3 * Math.min(255, 32 * k);
    return `rgb(${scale[from]} ${scale[from + 1]} ${scale[from + 2]})`;
  }).join(", ");
