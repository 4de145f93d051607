/**
 * Face detection: CenterFace proposes candidates, BlazeFace verifies each in an upright crop;
 * `kpdemo/faces/detector.py`, which says where the numbers come from.
 *
 * @typedef {import("./crop_rules.js").Face} Face
 * @typedef {import("./candidates.js").Candidate} Candidate
 * @typedef {import("./crop.js").Point} Point
 *
 * @typedef {object} Detection A face in a square crop, in crop coordinates.
 * @property {Point} middle Of its box.
 * @property {number} half Of its side.
 * @property {Point[]} points
 * @property {number} score
 *
 * @typedef {object} Evidence A face in its upright crop, and the sums of both nets' scores.
 * @property {Face} face
 * @property {number} total The score of its being a face.
 * @property {number} upright That of this side of it being up.
 */
import { resembles } from "./candidates.js";
import { square, toPhoto } from "./crop.js";
import { mirrored } from "./pixels.js";
import { Pyramid } from "./pyramid.js";

export const MAX_FACES = 50;

const PIXELS = 128;
const SHARE = 0.32;
const REFINED_SHARES = [0.35, 0.45];
// The sum of both nets' scores that an upright face needs; those that the photo's edges cut off, less.
const SUM = 1.42;
const CLEAR_SUM = 1.1;
const CLOSE_PIXELS = 96;
const CLOSE_SHARE = 0.4;
// An upright candidate that scores so high in both nets is not tried with another side up.
const CLEAR_SCORE = 0.85;
const CLEAR_CANDIDATE = 0.6;
const CLEAR_ROLL = 40;
const TURN_GAIN = 0.15;
const TURN_SCORE = 0.4;
const UPRIGHT_ROLL = 60;
const ROLLS = [0, 90, 180, -90];
const MOST_TURNS = 2;
const MOST_CANDIDATES = 300;
const MIRROR = [1, 0, 2, 3, 5, 4];
// Frames between two searches of the whole frame, and the score below which a tracked face is lost.
const FRAMES = 15;
const LOST = 0.6;

export class FaceFinder {
  /**
   * @param {(picture: import("./pixels.js").Picture) => Detection[]} blazeface
   * @param {import("./centerface.js").CenterFace} centerface
   */
  constructor(blazeface, centerface) {
    this.blazeface = blazeface;
    this.centerface = centerface;
  }

  /**
   * @param {import("./pixels.js").Picture} picture RGB.
   * @returns {Promise<Face[]>} Its faces, biggest first.
   */
  async find(picture) {
    const photo = new Pyramid(picture);
    const candidates = await this.centerface.candidates(picture);
    /** @type {Evidence[]} */
    const verified = [];
    for (const candidate of candidates.slice(0, MOST_CANDIDATES)) {
      if (verified.some(({ face }) => resembles(candidate, place(face)))) continue;
      const evidence = await this.examine(photo, candidate);
      if (evidence) verified.push(evidence);
    }
    verified.sort((a, b) => b.total - a.total);
    return bySize(distinct(verified.map(({ face }) => this.refine(photo, face))));
  }

  /**
   * @param {Pyramid} photo
   * @param {Candidate} candidate
   * @returns {Promise<Evidence | null>} The face there with the right side up.
   */
  async examine(photo, candidate) {
    const first = { ...candidate, roll: Math.abs(candidate.roll) < 90 ? candidate.roll : 0 };
    const upright = this.detectAt(photo, first);
    if (
      upright &&
      upright.score >= CLEAR_SCORE &&
      candidate.score >= CLEAR_CANDIDATE &&
      Math.abs(upright.roll) <= CLEAR_ROLL
    ) {
      const total = upright.score + candidate.score;
      return { face: upright, total, upright: total };
    }
    const turned = this.detectAtEach(
      photo,
      ROLLS.map((roll) => ({ ...candidate, roll })),
    );
    // The photo's own side up is always one of the first.
    turned.sort((a, b) => preferred(b) - preferred(a));
    const aligned = this.detectAtEach(photo, turned.slice(0, MOST_TURNS).map(place));
    let best = null;
    for (const face of turns([...turned, ...aligned])) {
      const score = await this.centerface.score(photo.cut(around(place(face), CLOSE_SHARE), CLOSE_PIXELS), CLOSE_SHARE);
      if (Math.abs(face.roll) > UPRIGHT_ROLL && score < TURN_SCORE) continue;
      const evidence = {
        face,
        total: face.score + Math.max(score, candidate.score),
        upright: face.score + score,
      };
      if (!best || preference(evidence) > preference(best)) best = evidence;
    }
    return best && best.total >= (candidate.score < CLEAR_CANDIDATE ? SUM : CLEAR_SUM) ? best : null;
  }

  /**
   * @param {Pyramid} photo
   * @param {Candidate} at
   * @returns {Face | null} BlazeFace's best detection in the middle of the upright crop around a place.
   */
  detectAt(photo, at) {
    const crop = around(at, SHARE);
    return best(
      this.blazeface(photo.cut(crop, PIXELS)).map((detection) => onPhoto(detection, crop)),
      at,
    );
  }

  /**
   * @param {Pyramid} photo
   * @param {Candidate[]} places
   * @returns {Face[]}
   */
  detectAtEach(photo, places) {
    return places.map((at) => this.detectAt(photo, at)).filter((face) => face !== null);
  }

  /**
   * The mean of BlazeFace's detections in two closer crops and their mirror images.
   * @param {Pyramid} photo
   * @param {Face} face
   * @returns {Face}
   */
  refine(photo, face) {
    const [wide, close] = REFINED_SHARES;
    const first = this.flipTest(photo, face, wide);
    return mean(first, this.flipTest(photo, first, close), face.score);
  }

  /**
   * @param {Pyramid} photo
   * @param {Face} face
   * @param {number} share
   * @returns {Face}
   */
  flipTest(photo, face, share) {
    const at = place(face);
    const crop = around(at, share);
    const pixels = photo.cut(crop, PIXELS);
    const [first, second] = [
      this.blazeface(pixels),
      this.blazeface(mirrored(pixels)).map(({ middle: [x, y], half, points, score }) => ({
        middle: /** @type {Point} */ ([-x, y]),
        points: MIRROR.map((k) => /** @type {Point} */ ([-points[k][0], points[k][1]])),
        half,
        score,
      })),
    ].map((detections) =>
      best(
        detections.map((detection) => onPhoto(detection, crop)),
        at,
      ),
    );
    return first && second ? mean(first, second, face.score) : face;
  }
}

/** Faces from frame to frame, with a full search at intervals; `kpdemo/faces/tracker.py`. */
export class FaceTracker {
  /** @param {FaceFinder} finder */
  constructor(finder) {
    this.finder = finder;
    /** @type {Face[]} */
    this.faces = [];
    this.shape = "";
    this.untilSearch = 0;
  }

  /**
   * @param {import("./pixels.js").Picture} picture The next frame.
   * @returns {Promise<Face[]>} Its faces, biggest first.
   */
  async find(picture) {
    const shape = `${picture.width}×${picture.height}`;
    const tracked = this.untilSearch > 0 && shape === this.shape ? this.track(picture) : null;
    if (!tracked) this.untilSearch = FRAMES;
    this.faces = tracked ?? (await this.finder.find(picture));
    this.untilSearch -= 1;
    this.shape = shape;
    return this.faces;
  }

  /**
   * @param {import("./pixels.js").Picture} picture
   * @returns {Face[] | null} The faces of the last frame in this one, null if one is lost or there was none.
   */
  track(picture) {
    if (!this.faces.length) return null;
    const photo = new Pyramid(picture);
    const places = this.faces.map(place);
    const faces = distinct(this.finder.detectAtEach(photo, places).filter(({ score }) => score >= LOST));
    return faces.length < this.faces.length ? null : bySize(faces);
  }
}

/** @param {Face} face */
function preferred(face) {
  return face.score + (Math.abs(face.roll) <= UPRIGHT_ROLL ? 1 : 0);
}

/** @param {Evidence} evidence */
function preference({ face, upright }) {
  return upright + (Math.abs(face.roll) <= UPRIGHT_ROLL ? TURN_GAIN : 0);
}

/**
 * @param {Detection} detection
 * @param {import("./crop.js").Crop} crop
 * @returns {Face}
 */
function onPhoto(detection, crop) {
  const [[x, y], ...points] = toPhoto(crop, [detection.middle, ...detection.points]);
  const half = (detection.half * crop.width) / 2;
  return oriented([x - half, y - half, x + half, y + half], detection.score, points);
}

/**
 * @param {[number, number, number, number]} box
 * @param {number} score
 * @param {Point[]} keypoints
 * @returns {Face}
 */
function oriented(box, score, keypoints) {
  const [[rightX, rightY], [leftX, leftY]] = keypoints;
  return { box, score, keypoints, roll: (Math.atan2(leftY - rightY, leftX - rightX) * 180) / Math.PI };
}

/**
 * @param {Face} first
 * @param {Face} second
 * @param {number} score
 * @returns {Face}
 */
function mean(first, second, score) {
  const [x0, y0, x1, y1] = first.box.map((side, k) => (side + second.box[k]) / 2);
  const points = first.keypoints.map(
    ([x, y], k) => /** @type {Point} */ ([(x + second.keypoints[k][0]) / 2, (y + second.keypoints[k][1]) / 2]),
  );
  return oriented([x0, y0, x1, y1], score, points);
}

/**
 * @param {Face} face
 * @returns {Candidate}
 */
export function place({ box: [x0, y0, x1, y1], score, roll }) {
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, width: x1 - x0, score, roll };
}

/**
 * @param {Candidate} at
 * @param {number} share
 */
function around({ x, y, width, roll }, share) {
  return square(x, y, width / share, roll);
}

/**
 * @param {Face[]} faces
 * @param {Candidate} at
 * @returns {Face | null} The face about there and of that size with the highest score.
 */
function best(faces, at) {
  let first = null;
  for (const face of faces) {
    const { x, y, width } = place(face);
    const near = Math.hypot(x - at.x, y - at.y) < 0.6 * at.width && width / at.width > 0.5 && width / at.width < 2;
    if (near && (!first || face.score > first.score)) first = face;
  }
  return first;
}

/**
 * @param {Face[]} faces
 * @returns {Face[]} One for each side that may be up, the one with the highest score.
 */
function turns(faces) {
  /** @type {Face[]} */
  const kept = [];
  for (const face of faces.toSorted((a, b) => b.score - a.score))
    if (kept.every((other) => Math.abs(modulo(face.roll - other.roll + 180, 360) - 180) > 30)) kept.push(face);
  return kept;
}

/**
 * @param {number} value
 * @param {number} divisor
 */
function modulo(value, divisor) {
  return ((value % divisor) + divisor) % divisor;
}

/**
 * @param {Face[]} faces
 * @returns {Face[]} One a place, the first of them.
 */
function distinct(faces) {
  /** @type {Face[]} */
  const kept = [];
  for (const face of faces) if (!kept.some((other) => resembles(place(face), place(other)))) kept.push(face);
  return kept;
}

/** @param {Face[]} faces */
function bySize(faces) {
  return faces.toSorted((a, b) => place(b).width - place(a).width);
}
