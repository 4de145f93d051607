// The panels' value of a result that was computed in this browser: what `panels.py` makes of one that
// was computed on the server.

import { eyeDistance } from "./reference.js";

const [PHOTO_SIDE, FACE_SIDE] = [900, 420]; // pixels of the whole photo, and of a face that would be coarse in it
const VIEW = 1.4; // a view of one face is this many boxes wide, and lies
const FOREHEAD = 0.06; // this many boxes above the box's middle
const SMALL = 0.45; // with one face narrower than this share of the photo, the page starts zoomed in on it
const QUALITY = 0.88;
const OWN = new Set(["markup", "keypoints", "confidence", "expected_error", "milliseconds"]);

// What has been cut out of a picture, by place: it is shown again when another model has answered.
const cuts = new WeakMap();

const clamp = (number, low, high) => Math.min(high, Math.max(low, number));

// An answer's points by markup: its own, and those that it is converted to, fitted ones first.
export function readingsOf(answer) {
  const readings = {};
  for (const [name, points] of Object.entries(answer)) {
    if (!OWN.has(name) && !name.endsWith("-fitted")) readings[name] = points;
  }
  for (const [name, points] of Object.entries(answer)) {
    if (name.endsWith("-fitted")) readings[name.replace(/-fitted$/, "")] = points;
  }
  return { ...readings, [answer.markup]: answer.keypoints };
}

// `result` is as `Comparison.to_dict()`, `picture` the photo as bitmap or canvas, of whatever size; `file`
// and `look` are the photo's name and what to look at; `devices` are their names on the page. `truth` is the ground
// truth, if any: its markup, and the points of each face, null where it has none. Of a result that `isPartial`,
// models are still missing.
export function panelsValue(
  { result, picture, file, look, isPartial, devices, truth },
  { models, markups, baseline, low, own = {} },
) {
  const { photo, faces, timings } = result;
  const [width, height] = [photo.width, photo.height];
  const scale = picture.width / width;
  const names = Object.keys(models).filter((name) => faces.some((face) => face.models[name]));
  names.sort((a, b) => (b === baseline) - (a === baseline));

  if (!cuts.has(picture)) cuts.set(picture, new Map());
  const known = cuts.get(picture);
  const shrunk = (...place) => {
    const key = place.join();
    if (!known.has(key)) known.set(key, cut(...place));
    return known.get(key);
  };

  const cut = (x, y, w, h, side) => {
    const factor = Math.min(1, side / Math.max(w, h));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(w * factor));
    canvas.height = Math.max(1, Math.round(h * factor));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "white"; // where the photo is transparent
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, x, y, w, h, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/jpeg", QUALITY);
  };

  const faceOf = ({ box: [x0, y0, x1, y1], score, confirmed }, f) => {
    const side = Math.round(Math.min(VIEW * Math.max(x1 - x0, y1 - y0), width, height));
    const left = Math.round(clamp((x0 + x1 - side) / 2, 0, width - side));
    const top = Math.round(clamp((y0 + y1 - side) / 2 - FOREHEAD * (y1 - y0), 0, height - side));
    const coarse = Math.min(1, PHOTO_SIDE / Math.max(width, height));
    const isFine = coarse >= scale || side * coarse >= FACE_SIDE;
    const src = isFine ? null : shrunk(...[left, top, side, side].map((length) => length * scale), FACE_SIDE);
    return {
      box: [x0, y0, x1, y1],
      score,
      confirmed,
      view: [left, top, side, side],
      src,
      truth: truth?.faces[f] ?? null,
    };
  };

  const radii = (answer, reference) => {
    if (!answer.expected_error) return null;
    const known = [answer, reference].filter((each) => each && markups[each.markup]);
    const units = known.map((each) => eyeDistance({ markup: each.markup, points: each.keypoints }, markups));
    const unit = units.find(Boolean);
    return unit ? answer.expected_error.map((share) => (share * unit) / 100) : null;
  };

  const pointsOf = (answer, reference) => {
    if (!answer) return null;
    const { [answer.markup]: points, ...readings } = readingsOf(answer);
    return {
      points,
      readings,
      confidence: answer.confidence ?? null,
      expected_error: answer.expected_error ?? null,
      radii: radii(answer, reference),
      milliseconds: answer.milliseconds,
    };
  };

  const panelOf = (name) => {
    const answers = faces.map((face) => face.models[name]);
    const { markup } = answers.find(Boolean);
    return {
      ...models[name],
      name,
      markup,
      baseline: name === baseline,
      pts: "ibug-68" in readingsOf(answers.find(Boolean)),
      faces: answers.map((answer, f) => pointsOf(answer, faces[f].models[baseline])),
      milliseconds: timings[name] / faces.length,
      device: devices[result.devices[name]] ?? result.devices[name],
    };
  };

  const [only] = faces;
  return {
    width,
    height,
    src: shrunk(0, 0, picture.width, picture.height, PHOTO_SIDE),
    start: faces.length === 1 && only.box[2] - only.box[0] < SMALL * width,
    look,
    file,
    low,
    truth: truth?.markup ?? null,
    markups,
    result,
    titles: own,
    isPartial,
    models: [...Object.keys(result.devices), ...Object.keys(result.unavailable)],
    faces: faces.map(faceOf),
    panels: names.map(panelOf),
  };
}
