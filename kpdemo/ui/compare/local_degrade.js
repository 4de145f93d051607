// "Degrade this photo" in this browser: the value of the component, as `degrade.py` makes it.

import { fromRgba, part, shrunk, toRgba } from "../engine/pixels.js";
import { degrade, IDENTITY } from "./corruptions.js";
import { mapped } from "./drift.js";

const WORK_SIDE = 1024; // a larger photo is shrunk to so many squared pixels
const PICTURE_SIDE = 720;
const VIEW = 1.9; // with one face, the picture is this many of its boxes wide
const QUALITY = 0.88;
const NEUTRAL = { cover: 0, turn: 0, darkness: 0, blur: 0, size: 100, quality: 100 };

// The comparison on the shrunk photo, by that on the photo itself.
const untouched = new WeakMap();

const clamp = (number, low, high) => Math.min(high, Math.max(low, number));

function contextOf(width, height) {
  return new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
}

// A canvas' or a bitmap's pixels, on white where it is transparent, at that size.
function read(source, width, height) {
  const context = contextOf(width, height);
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return fromRgba(context.getImageData(0, 0, width, height).data, width, height);
}

const imageOf = (picture) => new ImageData(toRgba(picture), picture.width, picture.height);

function jpegOf(picture, quality) {
  const context = contextOf(picture.width, picture.height);
  context.putImageData(imageOf(picture), 0, 0);
  return context.canvas.convertToBlob({ type: "image/jpeg", quality });
}

const compress = async (picture, quality) =>
  read(await createImageBitmap(await jpegOf(picture, quality)), picture.width, picture.height);

const address = (blob) =>
  new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(blob);
  });

// The part of the changed picture that is shown: around a single face, else all of it.
function viewOf(faces, matrix, { width, height }) {
  if (faces.length !== 1) return [0, 0, width, height];
  const [[a, b], [d, e]] = matrix;
  const [x0, y0, x1, y1] = faces[0].box;
  const side = Math.max(1, Math.round(Math.min(VIEW * Math.sqrt(Math.abs(a * e - b * d)) * (x1 - x0), width, height)));
  const [x, y] = mapped([(x0 + x1) / 2, (y0 + y1) / 2], matrix);
  const left = Math.round(clamp(x - side / 2, 0, width - side));
  return [left, Math.round(clamp(y - side / 2, 0, height - side)), side, side];
}

// `compare` gives the result on an `ImageData`; `picture` is the photo, and `result` the one on it.
export async function degraded({ picture, result }, settings, compare) {
  const { width, height } = result.photo;
  const scale = Math.min(1, WORK_SIDE / Math.sqrt(width * height));
  const pixels = read(picture, ...[width, height].map((side) => Math.max(1, Math.floor(side * scale))));
  if (scale < 1 && !untouched.has(result)) untouched.set(result, await compare(imageOf(pixels)));
  const before = scale < 1 ? untouched.get(result) : result;
  const isChanged = Object.entries(NEUTRAL).some(([name, value]) => settings[name] !== value);
  const boxes = before.faces.map(({ box }) => box);
  const [changed, matrix] = isChanged ? await degrade(pixels, boxes, settings, compress) : [pixels, IDENTITY];
  const after = isChanged ? await compare(imageOf(changed)) : before;
  const view = viewOf(before.faces, matrix, changed);
  const shown = part(changed, ...view);
  const factor = Math.min(1, PICTURE_SIDE / Math.max(shown.width, shown.height));
  const [w, h] = [shown.width, shown.height].map((side) => Math.max(1, Math.round(side * factor)));
  const src = await address(await jpegOf(shrunk(shown, w, h), QUALITY));
  return { settings, src, view, matrix, before, after, eyes: [], isChanged };
}
