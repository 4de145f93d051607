import { cut } from "./crop.js";
import { shrunk } from "./pixels.js";

/** An image pyramid, for small crops of large areas without aliasing; `kpdemo/faces/pyramid.py`. */
export class Pyramid {
  /** @param {import("./pixels.js").Picture} picture */
  constructor(picture) {
    this.levels = [picture];
  }

  /**
   * @param {import("./crop.js").Crop} crop A square.
   * @param {number} side
   * @returns {import("./pixels.js").Picture} The crop from the level that is shrunk less than twice.
   */
  cut(crop, side) {
    const number = Math.floor(Math.log2(Math.max(1, crop.width / side)));
    for (let last = this.levels.at(-1); last && number >= this.levels.length; last = this.levels.at(-1)) {
      if (Math.min(last.height, last.width) <= 1) break;
      this.levels.push(shrunk(last, Math.ceil(last.width / 2), Math.ceil(last.height / 2)));
    }
    const level = this.levels[Math.min(number, this.levels.length - 1)];
    const across = level.width / this.levels[0].width;
    const down = level.height / this.levels[0].height;
    const smaller = {
      x: (crop.x + 0.5) * across - 0.5,
      y: (crop.y + 0.5) * down - 0.5,
      width: crop.width * across,
      height: crop.height * down,
      roll: crop.roll,
    };
    return cut(smaller, level, side, side);
  }
}
