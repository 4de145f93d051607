// Ground truth from a file, read in this browser: 300-W `.pts`, IMM `.asf` or this page's own JSON;
// `kpdemo/keypoints/annotations.py`, whose rules and sentences these are.
//
// Points are in photo coordinates, counted from 0, whatever the file counts from; an unknown one is [null, null].

import { isKnown } from "../shared/common.js";

const MAX_CHARACTERS = 10_000_000;
const [PTS, PTS_COUNT] = ["ibug-68", 68];
const [ASF, ASF_COUNT] = ["imm-58", 58];
const BEYOND = 0.25; // points farther outside than this share of the photo were marked on another one
const MISSING = new Set(["", "-", "?", "na", "n/a", "#n/a", "none", "null", "nil", "missing", "nan"]);
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const FLAGS = [0, 1, 2]; // COCO's: not labelled, labelled but hidden, visible
const MAX_FLOAT = 3.4028234663852886e38;
const NOT_OURS = "The file is no JSON as this page downloads it; choose one of those, a .pts or an .asf.";

// The sets of points in a file called `name`, for a photo of `width` × `height` pixels, by the model that they are
// called after: {markup, faces}, where a face is a list of points. Throws one sentence for the visitor.
export function readTruth(name, text, { width, height }, markups) {
  if (text.length >= MAX_CHARACTERS)
    throw new Error("The file is larger than 10 MB; choose one that holds only points.");
  const sets = setsOf(name, text, { width, height }, markups);
  for (const { faces } of Object.values(sets)) {
    if (!faces.flat().some(isKnown))
      throw new Error("All points in the file are marked as unknown; choose another one.");
    for (const points of faces) {
      const k = points.findIndex((point) => isKnown(point) && isOutside(point, width, height));
      if (k < 0) continue;
      throw new Error(
        `Point ${k + 1} in the file, at (${points[k].map(brief).join(", ")}), lies outside this photo of ${width} × ${height} pixels; choose the file that was made for it.`,
      );
    }
  }
  return sets;
}

function setsOf(name, text, { width, height }, markups) {
  const [, kind] = name.toLowerCase().match(/\.([^.]+)$/) ?? [];
  if (kind === "pts") return { "": { markup: PTS, faces: [readPts(text)] } };
  if (kind === "asf") {
    // Fractions run over the photo's outer edges.
    const points = readAsf(text).map((point) =>
      isKnown(point) ? [point[0] * width - 0.5, point[1] * height - 0.5] : point,
    );
    return { "": { markup: ASF, faces: [points] } };
  }
  if (kind === "json") return readJson(text, width, height, markups);
  throw new Error("Ground truth is read from .pts, .asf or .json files; choose one of them.");
}

function readPts(text) {
  const braces = text.match(/\{(.*)\}/s);
  if (!braces) throw new Error("The file is no complete .pts file: it has no list of points in braces.");
  const rows = parse(words(braces[1]), PTS_COUNT);
  const stated = text.slice(0, braces.index).match(/n_points\s*:\s*(\d+)/);
  if (stated && Number(stated[1]) !== PTS_COUNT) {
    throw new Error(`The file states n_points: ${stated[1].slice(0, 20)} and has ${PTS_COUNT} points.`);
  }
  return mask(rows.map(([x, y, ...flag]) => [x - 1, y - 1, ...flag]));
}

// Lines with a point have seven columns in some files and ten in others, with x and y third and fourth.
function readAsf(text) {
  const lines = text.split(/\r\n|[\n\r]/).map(words);
  const points = lines.filter((line) => [7, 10].includes(line.length) && !line[0].startsWith("#"));
  return mask(
    parse(
      points.flatMap((line) => line.slice(2, 4)),
      ASF_COUNT,
    ),
  );
}

function readJson(text, width, height, markups) {
  let size;
  const sets = {};
  try {
    const data = JSON.parse(text);
    size = [data.photo.width, data.photo.height].map(Math.trunc);
    for (const [name, answer] of data.faces.flatMap(({ models }) => Object.entries(models))) {
      const points = pointsOf(answer, markups);
      if (points.some(isKnown)) sets[name] = [...(sets[name] ?? []), { markup: answer.markup, points }];
    }
  } catch {
    throw new Error(NOT_OURS);
  }
  if (!size.every(Number.isFinite)) throw new Error(NOT_OURS);
  if (size[0] !== width || size[1] !== height) {
    throw new Error(
      `The file was made for a photo of ${size.join(" × ")} pixels, and this one has ${width} × ${height}; choose the file that belongs to it.`,
    );
  }
  if (!Object.keys(sets).length) throw new Error("The file holds no points; choose one that has a face in it.");
  return Object.fromEntries(
    Object.entries(sets).map(([name, faces]) => {
      const [{ markup }] = faces;
      if (faces.some((face) => face.markup !== markup)) {
        throw new Error(`The points of ${name} in the file have more than one markup.`);
      }
      return [name, { markup, faces: faces.map(({ points }) => points) }];
    }),
  );
}

// An answer's points, where they are those of its markup; throws where they are not.
function pointsOf({ markup, keypoints }, markups) {
  const columns = Math.max(...keypoints.filter(Boolean).map(({ length }) => length));
  const rows = keypoints.map((row) => row ?? Array(columns).fill(null));
  const isRow = (row) => row.length === columns && row.every((each) => each === null || Number.isFinite(each));
  const isFlag = ([, , flag]) => columns === 2 || FLAGS.includes(flag);
  if (![2, 3].includes(columns) || rows.length !== markups[markup].names.length) throw new Error(NOT_OURS);
  if (!rows.every(isRow) || !rows.every(isFlag)) throw new Error(NOT_OURS);
  return mask(rows);
}

const words = (text) => text.split(/\s+/).filter(Boolean);

// Texts x y x y … as rows of two, NaN where unknown; of three where all third ones are COCO's flags.
function parse(texts, count) {
  const numbers = texts.map((text) => {
    if (MISSING.has(text.toLowerCase())) return Number.NaN;
    if (!NUMBER.test(text)) throw new Error(`The file has a broken coordinate: ${text.slice(0, 40)}.`);
    return Number(text);
  });
  const isFlagged = numbers.length === 3 * count && numbers.every((each, at) => at % 3 < 2 || FLAGS.includes(each));
  if (numbers.length !== 2 * count && !isFlagged) {
    throw new Error(`The file has ${numbers.length / 2} points where ${count} belong.`);
  }
  if (numbers.some((each) => Math.abs(each) > MAX_FLOAT)) {
    throw new Error("The file has a coordinate that is no finite number.");
  }
  const columns = isFlagged ? 3 : 2;
  return Array.from({ length: count }, (_, k) => numbers.slice(k * columns, (k + 1) * columns));
}

// Rows as points. Unknown is what lacks a coordinate or has COCO's flag 0, and the codes of data sets: the same
// whole number up to 0 twice.
function mask(rows) {
  return rows.map(([x, y, flag]) => {
    const isCode = x === y && x <= 0 && Number.isInteger(x);
    return flag === 0 || isCode || !Number.isFinite(x) || !Number.isFinite(y) ? [null, null] : [x, y];
  });
}

function isOutside([x, y], width, height) {
  const [left, top] = [BEYOND * width, BEYOND * height];
  return x < -left || y < -top || x > width + left || y > height + top;
}

// A number with six digits, without zeros at its end.
const brief = (number) => String(Number(number.toPrecision(6)));
