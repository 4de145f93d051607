/**
 * Face detection: CenterFace proposes candidates, BlazeFace verifies each in an upright crop;
 * `kpdemo/faces/detector.py`, whose numbers are in `settings.py` beside it.
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

// Right and left change places in the mirror image.
const MIRROR = [1, 0, 2, 3, 5, 4];

export class FaceFinder {
  /**
   * @param {(picture: import("./pixels.js").Picture) => Detection[]} blazeface
   * @param {import("./centerface.js").CenterFace} centerface
   * @param {any} settings `kpdemo/faces/settings.py`.
   */
  constructor(blazeface, centerface, settings) {
    this.blazeface = blazeface;
    this.centerface = centerface;
    this.settings = settings;
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
    for (const candidate of candidates.slice(0, this.settings.most_candidates)) {
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
    const { settings } = this;
    const first = { ...candidate, roll: Math.abs(candidate.roll) < 90 ? candidate.roll : 0 };
    const upright = this.detectAt(photo, first);
    if (
      upright &&
      upright.score >= settings.clear_score &&
      candidate.score >= settings.clear_candidate &&
      Math.abs(upright.roll) <= settings.clear_roll
    ) {
      const total = upright.score + candidate.score;
      return { face: upright, total, upright: total };
    }
    const turned = this.detectAtEach(
      photo,
      settings.rolls.map((/** @type {number} */ roll) => ({ ...candidate, roll })),
    );
    // The photo's own side up is always one of the first.
    const preferred = (/** @type {Face} */ { score, roll }) =>
      score + (Math.abs(roll) <= settings.upright_roll ? 1 : 0);
    turned.sort((a, b) => preferred(b) - preferred(a));
    const aligned = this.detectAtEach(photo, turned.slice(0, settings.most_turns).map(place));
    let best = null;
    for (const face of turns([...turned, ...aligned])) {
      const score = await this.secondScore(photo, face);
      if (Math.abs(face.roll) > settings.upright_roll && score < settings.turn_score) continue;
      const evidence = {
        face,
        total: face.score + Math.max(score, candidate.score),
        upright: face.score + score,
      };
      if (!best || this.preference(evidence) > this.preference(best)) best = evidence;
    }
    return best && best.total >= (candidate.score < settings.clear_candidate ? settings.sum : settings.clear_sum)
      ? best
      : null;
  }

  /**
   * @param {Pyramid} photo
   * @param {Face} face
   * @returns {Promise<number>} CenterFace's score of a face in its upright crop.
   */
  secondScore(photo, face) {
    const { close_pixels: pixels, close_share: share } = this.settings;
    return this.centerface.score(photo.cut(around(place(face), share), pixels), share);
  }

  /** @param {Evidence} evidence */
  preference({ face, upright }) {
    const { upright_roll: most, turn_gain: gain } = this.settings;
    return upright + (Math.abs(face.roll) <= most ? gain : 0);
  }

  /**
   * @param {Pyramid} photo
   * @param {Candidate} at
   * @returns {Face | null} BlazeFace's best detection in the middle of the upright crop around a place.
   */
  detectAt(photo, at) {
    const crop = around(at, this.settings.share);
    return best(
      this.blazeface(photo.cut(crop, this.settings.pixels)).map((detection) => onPhoto(detection, crop)),
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
    const [wide, close] = this.settings.refined_shares;
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
    const pixels = photo.cut(crop, this.settings.pixels);
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
  /**
   * @param {FaceFinder} finder
   * @param {any} settings `kpdemo/faces/settings.py`.
   */
  constructor(finder, settings) {
    this.finder = finder;
    this.settings = settings;
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
    if (!tracked) this.untilSearch = this.settings.frames;
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
    const faces = distinct(this.finder.detectAtEach(photo, places).filter(({ score }) => score >= this.settings.score));
    return faces.length < this.faces.length ? null : bySize(faces);
  }
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
