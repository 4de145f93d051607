// One large picture: model A's points left of a divider, model B's right of it.

import { make } from "../shared/common.js";
import { percent, UNITS_ACROSS } from "./drawing.js";
import { toPhoto } from "./zoom.js";

const GRIP = 12; // pixels of the screen beside the divider that still take hold of it

export class Slide {
  a = make("select", { class: "kp-select", name: "a", "aria-label": "Model on the left" });
  b = make("select", { class: "kp-select", name: "b", "aria-label": "Model on the right" });
  range = make("input", {
    type: "range",
    min: "0",
    max: "100",
    step: "0.5",
    value: "50",
    "aria-label": "Divider between the two models",
  });

  // `state` is that of panels.js.
  constructor(state, zoom) {
    Object.assign(this, { state, zoom });
    this.range.addEventListener("input", () => this.divide());
  }

  // The selects of the two models, by their names in a link.
  get selects() {
    return { a: this.a, b: this.b };
  }

  // The two models' panels.
  panels() {
    return [this.a, this.b].map((select) => this.state.panels.find((panel) => panel.name === select.value));
  }

  // Puts the picture of both models into its figure.
  frame(screen) {
    const side = (select, { color }) => make("label", { style: `--model: ${color}` }, select);
    const [a, b] = screen.panels;
    screen.slides = true;
    screen.across = innerWidth < 800 ? UNITS_ACROSS : 2 * UNITS_ACROSS; // a large picture needs no larger points
    screen.definitions = `<defs><clipPath id="kp-clip-0"><rect/></clipPath><clipPath id="kp-clip-1"><rect/></clipPath></defs>`;
    screen.figure = make(
      "figure",
      { class: "kp-panel kp-slide" },
      make("figcaption", {}, side(this.a, a), side(this.b, b)),
      make("div", { class: "kp-stage" }, screen.svg, make("div", { class: "kp-divider" }), this.range),
    );
    return screen;
  }

  #share() {
    return Number(this.range.value) / 100;
  }

  // The divider's x in the photo.
  dividerAt() {
    const [x, , width] = this.zoom.frame();
    return x + this.#share() * width;
  }

  splitAt(x) {
    const [left, , width] = this.zoom.frame();
    this.range.value = (100 * (x - left)) / width;
    this.divide();
  }

  isLeft({ clientX, clientY }, { svg }) {
    return toPhoto(svg, clientX, clientY).x <= this.dividerAt();
  }

  isOnDivider(event, { svg, slides }) {
    if (!slides) return false;
    const gap = toPhoto(svg, event.clientX, event.clientY).x - this.dividerAt();
    return Math.abs(gap) * svg.getScreenCTM().a < GRIP;
  }

  // Clips the two models' points at the divider.
  divide() {
    const screen = this.state.screens.find(({ slides }) => slides);
    if (!screen) return;
    const [left, top, width, height] = this.zoom.frame();
    const x = this.dividerAt();
    for (const [id, from, to] of [
      [0, left - 1, x],
      [1, x, left + width + 1],
    ]) {
      const rect = screen.svg.querySelector(`#kp-clip-${id} rect`);
      const attributes = { x: from, y: top - 1, width: Math.max(to - from, 0), height: height + 2 };
      for (const [name, number] of Object.entries(attributes)) rect.setAttribute(name, number);
    }
    const share = this.#share();
    screen.figure.style.setProperty("--split", share);
    const [a, b] = screen.panels.map(({ title }) => title);
    this.range.setAttribute("aria-valuetext", `${percent(share)} ${a}, ${percent(1 - share)} ${b}`);
  }
}
