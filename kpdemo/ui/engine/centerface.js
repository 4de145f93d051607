/**
 * CenterFace: candidates for faces of any size and roll, in one pass over an image pyramid;
 * `kpdemo/faces/centerface.py`.
 *
 * @typedef {import("./pixels.js").Picture} Picture
 * @typedef {import("./candidates.js").Candidate} Candidate
 */
import { distinct } from "./candidates.js";
import { halfEven, part, shrunk } from "./pixels.js";

export class CenterFace {
  /**
   * @param {(planes: Float32Array, height: number, width: number) => Promise<Float32Array[]>} run
   *   The net: RGB planes from 0 to 255 -> scores, sizes, offsets and points of the cells.
   * @param {any} settings `kpdemo/faces/settings.py`.
   */
  constructor(run, settings) {
    this.run = run;
    this.settings = settings;
  }

  /**
   * @param {Picture} picture RGB.
   * @returns {Promise<Candidate[]>} Where faces may be, the likeliest first.
   */
  async candidates(picture) {
    const { width, height } = picture;
    const { finest, pixels, step, coarsest } = this.settings;
    let level = smaller(picture, Math.min(1, Math.max(finest, Math.sqrt(pixels / (height * width)))));
    const candidates = [];
    // The coarsest level has a margin of a quarter of its side for faces that fill the photo.
    while (Math.max(level.width, level.height) > coarsest) {
      candidates.push(...(await this.byTiles(level, width / level.width)));
      level = smaller(level, 1 / step);
    }
    const margin = Math.floor(Math.max(level.width, level.height) / 4);
    const padded = part(level, -margin, -margin, level.width + 2 * margin, level.height + 2 * margin);
    candidates.push(...onPhoto(await this.detect(padded), width / level.width, margin, margin));
    return distinct(candidates);
  }

  /**
   * @param {Picture} crop A square.
   * @param {number} share Of its width that the face in its middle has.
   * @returns {Promise<number>} The score of that face, from 0 to 1.
   */
  async score(crop, share) {
    const middle = (crop.width - 1) / 2;
    const width = share * crop.width;
    const scores = (await this.detect(crop))
      .filter(
        (candidate) =>
          Math.max(Math.abs(candidate.x - middle), Math.abs(candidate.y - middle)) < 0.35 * width &&
          candidate.width / width > 0.55 &&
          candidate.width / width < 1.8,
      )
      .map((candidate) => candidate.score);
    return Math.max(0, ...scores);
  }

  /**
   * @param {Picture} level
   * @param {number} scale
   */
  async byTiles(level, scale) {
    const candidates = [];
    for (const [top, bottom] of spans(level.height, this.settings))
      for (const [left, right] of spans(level.width, this.settings)) {
        const tile = part(level, left, top, right - left, bottom - top);
        candidates.push(...onPhoto(await this.detect(tile), scale, -left, -top));
      }
    return candidates;
  }

  /**
   * @param {Picture} picture
   * @returns {Promise<Candidate[]>}
   */
  async detect(picture) {
    const { cell, score: least } = this.settings;
    const width = Math.ceil(picture.width / cell) * cell;
    const height = Math.ceil(picture.height / cell) * cell;
    const { data } = part(picture, 0, 0, width, height);
    const size = width * height;
    const planes = new Float32Array(3 * size);
    for (let at = 0; at < size; at += 1) for (let c = 0; c < 3; c += 1) planes[c * size + at] = data[3 * at + c];
    const [heat, sizes, offsets, points] = await this.run(planes, height, width);
    const columns = width / 4;
    const cells = heat.length;
    /** @type {Candidate[]} */
    const candidates = [];
    heat.forEach((score, at) => {
      if (score <= least) return;
      const down = 4 * Math.exp(sizes[at]);
      const across = 4 * Math.exp(sizes[cells + at]);
      // Of the five points, y before x in parts of the box, the first two are the eyes.
      const [rightY, rightX, leftY, leftX] = [0, 1, 2, 3].map((k) => points[k * cells + at]);
      candidates.push({
        x: 4 * ((at % columns) + offsets[cells + at] + 0.5) - 0.5,
        y: 4 * (Math.floor(at / columns) + offsets[at] + 0.5) - 0.5,
        width: across,
        score,
        roll: (Math.atan2((leftY - rightY) * down, (leftX - rightX) * across) * 180) / Math.PI,
      });
    });
    return distinct(candidates);
  }
}

/**
 * @param {Picture} picture
 * @param {number} scale
 */
function smaller(picture, scale) {
  if (scale >= 1) return picture;
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, halfEven(side * scale)));
  return shrunk(picture, width, height);
}

/**
 * @param {number} length
 * @param {{tile: number, overlap: number}} settings
 * @returns {[number, number][]} Starts and ends of the fewest tiles of one size that cover it together.
 */
function spans(length, { tile, overlap }) {
  const count = Math.max(1, Math.ceil((length - overlap) / (tile - overlap)));
  const size = Math.ceil((length + (count - 1) * overlap) / count);
  return Array.from({ length: count }, (_, k) => {
    const start = count === 1 ? 0 : Math.floor((k * (length - size)) / (count - 1));
    return [start, start + size];
  });
}

/**
 * Candidates of a level that is `scale` times coarser, behind margins `left` and `top`.
 * @param {Candidate[]} candidates
 * @param {number} scale
 * @param {number} left
 * @param {number} top
 * @returns {Candidate[]}
 */
function onPhoto(candidates, scale, left, top) {
  return candidates.map((candidate) => ({
    ...candidate,
    x: (candidate.x - left + 0.5) * scale - 0.5,
    y: (candidate.y - top + 0.5) * scale - 0.5,
    width: candidate.width * scale,
  }));
}
