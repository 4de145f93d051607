// The faces of a group: a strip of them, from left to right, each a way to its close-up.

import { make } from "../shared/common.js";
import { useArrows } from "../shared/strip.js";

const SIDE = 88; // pixels of a thumbnail, which is half as wide on the page

export class Faces {
  #buttons = [];

  // `choose(f)` is called with the number of a face, or -1 for the whole photo.
  constructor(strip, choose) {
    Object.assign(this, { strip, choose });
    useArrows(strip, "Faces, from left to right");
  }

  async load({ src, width, faces }) {
    this.#buttons = faces.map((_, f) => this.#button(f));
    const middle = ({ box: [x0, , x1] }) => x0 + x1;
    const order = [...this.#buttons.keys()].sort((a, b) => middle(faces[a]) - middle(faces[b]));
    this.strip.replaceChildren(...order.map((f) => this.#buttons[f]));
    const buttons = this.#buttons;
    const photo = new Image();
    photo.src = src;
    await photo.decode();
    const scale = photo.naturalWidth / width;
    for (const [f, button] of buttons.entries()) {
      const part = faces[f].view.map((side) => side * scale);
      button.firstChild.getContext("2d").drawImage(photo, ...part, 0, 0, SIDE, SIDE);
    }
  }

  #button(f) {
    const title = `Face ${f + 1}`;
    const picture = make("canvas", { width: SIDE, height: SIDE });
    const button = make("button", { type: "button", title, "aria-label": title }, picture);
    button.addEventListener("click", () => this.choose(button.ariaCurrent ? -1 : f));
    return button;
  }

  // Marks the face that is looked at, if any.
  mark(number) {
    const [first] = this.strip.children;
    for (const [f, button] of this.#buttons.entries()) {
      button.ariaCurrent = f === number ? "true" : null;
      button.tabIndex = button === (this.#buttons[number] ?? first) ? 0 : -1;
    }
  }
}

// The number of the face at a place of the photo, or -1.
export const faceAt = (faces, { x, y }) =>
  faces.findIndex(({ box: [x0, y0, x1, y1] }) => x > x0 && x < x1 && y > y0 && y < y1);
