// One zoom for all pictures. Coordinates are the photo's.

const MAX_SCALE = 16;
const SETTLE_DELAY = 120; // milliseconds

export const toPhoto = (svg, x, y) => new DOMPoint(x, y).matrixTransform(svg.getScreenCTM().inverse());

export class Zoom {
  scale = 1;
  x = 0; // the left edge of the visible part
  y = 0; // its top edge
  #timer = 0;

  // `base()` is what is visible without zoom: x, y, width, height. `onChange` is called after each
  // change, `onSettle` once after the last of several.
  constructor({ base, onChange, onSettle }) {
    Object.assign(this, { base, onChange, onSettle });
  }

  get atMaximum() {
    return this.scale >= MAX_SCALE;
  }

  reset() {
    this.scale = 1;
    [this.x, this.y] = this.base();
  }

  // The visible part of the photo: x, y, width, height.
  frame() {
    const [, , width, height] = this.base();
    return [this.x, this.y, width / this.scale, height / this.scale];
  }

  // Shows the place (x, y) of the photo at the shares (u, v) of the pictures' width and height.
  lookAt(scale, x, y, u, v) {
    const [left, top, width, height] = this.base();
    this.scale = Math.min(Math.max(scale, 1), MAX_SCALE);
    const within = (corner, first, size) => Math.min(Math.max(corner, first), first + size - size / this.scale);
    this.x = within(x - (u * width) / this.scale, left, width);
    this.y = within(y - (v * height) / this.scale, top, height);
    this.onChange();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.onSettle, SETTLE_DELAY);
  }

  by(factor, center) {
    const [x, y, width, height] = this.frame();
    const { x: px, y: py } = center ?? { x: x + width / 2, y: y + height / 2 };
    this.lookAt(this.scale * factor, px, py, (px - x) / width, (py - y) / height);
  }

  pan(dx, dy) {
    this.lookAt(this.scale, this.x + dx, this.y + dy, 0, 0);
  }

  // Brings a point into the visible part, if it is outside.
  reveal([px, py]) {
    const [x, y, width, height] = this.frame();
    if (px < x || px > x + width || py < y || py > y + height) this.lookAt(this.scale, px, py, 0.5, 0.5);
  }

  // Zooms with the wheel over a picture; the page scrolls on, unless the visitor zooms or has zoomed.
  followWheel(svg) {
    svg.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && this.scale === 1) return;
        event.preventDefault();
        const pixels = event.deltaY * (event.deltaMode ? 16 : 1);
        this.by(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), toPhoto(svg, event.clientX, event.clientY));
      },
      { passive: false },
    );
  }

  // Returns whether the key zooms or pans.
  handleKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const [, , width, height] = this.frame();
    const direction = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (event.key === "+" || event.key === "=") this.by(1.5);
    else if (event.key === "-") this.by(1 / 1.5);
    else if (event.key === "0") this.by(0);
    else if (event.shiftKey && direction) this.pan((direction[0] * width) / 8, (direction[1] * height) / 8);
    else return false;
    event.preventDefault();
    return true;
  }
}
