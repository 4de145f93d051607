// A picture file that stays in this browser.

import { picture } from "../engine/engine.js";

const MAX_BYTES = 50_000_000;
const MAX_PIXELS = 40_000_000;
const MIN_SIDE = 16;

// The picture, upright. Raises an Error whose message is one sentence for whoever chose the file.
export async function readPhoto(file) {
  if (file.size > MAX_BYTES) {
    throw new Error(
      `The file is larger than ${MAX_BYTES / 1_000_000} MB; save the picture smaller, or as JPEG, and choose that.`,
    );
  }
  const bitmap = await picture(file).catch(() => null);
  if (!bitmap) {
    throw new Error(
      "This browser cannot read the file: it is damaged, or no picture that it knows; choose a JPEG, PNG or WebP picture.",
    );
  }
  if (bitmap.width * bitmap.height > MAX_PIXELS) {
    throw new Error(`The picture has more than ${MAX_PIXELS / 1_000_000} megapixels; make it smaller and choose that.`);
  }
  if (Math.min(bitmap.width, bitmap.height) < MIN_SIDE) {
    throw new Error(`The picture is smaller than ${MIN_SIDE} pixels; choose a larger one.`);
  }
  return bitmap;
}
