// Draws the models' points on the pictures, and shows the visible part of the photo.

import { round2 } from "../shared/common.js";
import {
  drawExpected,
  drawFace,
  drawImage,
  drawNumbers,
  drawScale,
  drawVectors,
  percent,
  UNITS_ACROSS,
} from "./drawing.js";

const LEGIBLE = 0.2; // a face narrower than this share of the picture has no room for numbers
const CLOSER = 6 / 7; // of a close-up, on a phone

export class Painter {
  #drawn = {}; // by layer: the state that it was drawn for

  // `state` is that of panels.js, `phone` a media query. The zoom, the slide and the overlay are given
  // once they are there.
  constructor(state, element, phone) {
    Object.assign(this, { state, phone, zoom: null, slide: null, overlay: null });
    this.tools = element.querySelector(".kp-tools");
    this.hint = element.querySelector(".kp-hint");
    this.grid = element.querySelector(".kp-grid");
  }

  #input = (name) => this.tools.querySelector(`[name="${name}"]`);

  get #enlarged() {
    return Number(this.#input("enlarged").value);
  }

  // The part of the photo that is visible without zoom: x, y, width, height.
  base = () => {
    const { faces, width, height } = this.state.data;
    const view = Number(this.#input("view").value);
    const [x, y, w, h] = faces[view]?.view ?? [0, 0, width, height];
    const close = this.phone.matches && view >= 0 ? CLOSER : 1;
    return [x + ((1 - close) * w) / 2, y + ((1 - close) * h) / 2, close * w, close * h];
  };

  // Where there are dozens of faces, drawing those outside the view would take time.
  #isInside(f, [x, y, width, height]) {
    const [x0, y0, x1, y1] = this.state.data.faces[f].box;
    return x0 < x + width && x1 > x && y0 < y + height && y1 > y;
  }

  // Redraws all pictures.
  draw() {
    const { data, screens } = this.state;
    const base = this.base();
    this.#drawn = {};
    for (const screen of screens) {
      const drawings = screen.panels.map((panel, side) => {
        const faces = panel.faces.map((_, f) => (this.#isInside(f, base) ? drawFace(data, panel, f) : ""));
        const clip = screen.slides ? ` clip-path="url(#kp-clip-${side})"` : "";
        return `<g class="kp-overlay" data-overlay="${panel.name}" style="--model: ${panel.color}"${clip}>${faces.join("")}</g>`;
      });
      screen.figure.style.setProperty("--aspect", base[2] / base[3]);
      screen.svg.innerHTML = `${drawImage(data.src, 0, 0, data.width, data.height)}<g class="kp-closer"></g>${screen.definitions ?? ""}${drawings.join("")}<g class="kp-scale"></g><g class="kp-lit"></g>`;
      screen.mark = screen.svg.querySelector(".kp-lit");
      if (screen.chips) this.overlay.apply(screen);
    }
    this.drawExpected();
    this.drawVectors();
    this.showFrame();
    this.settle();
  }

  // Calls `draw` with each node of a layer, its panel and the number of its face.
  #eachLayer(selector, draw) {
    for (const { svg, panels } of this.state.screens) {
      for (const [side, drawing] of svg.querySelectorAll(".kp-overlay").entries()) {
        for (const node of drawing.querySelectorAll(selector)) {
          draw(node, panels[side], Number(node.closest(".kp-face").dataset.face));
        }
      }
    }
  }

  // Circles and lines are many: they are drawn once they are switched on, and kept while `state`, what they
  // depend on, is the same. Returns whether a layer has to be drawn now, and takes it as drawn.
  #isDue(name, state = "") {
    if (!this.#input(name).checked || this.#drawn[name] === state) return false;
    this.#drawn[name] = state;
    return true;
  }

  drawExpected() {
    if (!this.#isDue("expected")) return;
    this.#eachLayer(".kp-expected", (path, panel, f) => path.setAttribute("d", drawExpected(panel.faces[f])));
  }

  drawVectors() {
    const { comparison } = this.state;
    const enlarged = this.#enlarged;
    if (!this.#isDue("vectors", `${comparison.reference?.name} ${enlarged}`)) return;
    this.#eachLayer(".kp-vectors", (layer, panel, f) => {
      const lines = drawVectors(comparison.measures(panel)[f]?.gaps, enlarged);
      for (const path of layer.children) path.setAttribute("d", lines);
    });
  }

  // Shows the part of the photo that the zoom is at.
  showFrame = () => {
    const { zoom, tools } = this;
    const [x, y, width, height] = zoom.frame();
    for (const { svg, across } of this.state.screens) {
      svg.setAttribute("viewBox", [x - 0.5, y - 0.5, width, height].map(round2).join(" "));
      svg.style.setProperty("--unit", `${width / (across ?? UNITS_ACROSS)}px`);
    }
    this.drawScale();
    this.grid.classList.toggle("kp-zoomed", zoom.scale > 1);
    tools.querySelector("[data-zoom=fit]").textContent = percent(zoom.scale);
    tools.querySelector("[data-zoom=out]").disabled = zoom.scale <= 1;
    tools.querySelector("[data-zoom=in]").disabled = zoom.atMaximum;
    this.slide.divide();
  };

  // Draws the scale bar of the difference lines.
  drawScale() {
    const frame = this.zoom.frame();
    const eyes = this.state.comparison.unit(frame);
    for (const { svg, across } of this.state.screens) {
      const unit = frame[2] / (across ?? UNITS_ACROSS);
      svg.querySelector(".kp-scale").innerHTML = eyes ? drawScale(frame, eyes, this.#enlarged, unit) : "";
    }
  }

  // Redraws what depends on the zoom: sharper pictures of the faces, and their numbers.
  settle = () => {
    const { data, screens } = this.state;
    const frame = this.zoom.frame();
    const shares = data.faces.map((face, f) => this.#isInside(f, frame) && (face.box[2] - face.box[0]) / frame[2]);
    const closer = data.faces
      .map((face, f) => (face.src && shares[f] > LEGIBLE ? drawImage(face.src, ...face.view) : ""))
      .join("");
    for (const { svg } of screens) svg.querySelector(".kp-closer").innerHTML = closer;
    const numbered = this.#input("numbers").checked;
    this.#eachLayer(".kp-numbers", (layer, panel, f) => {
      layer.innerHTML = numbered && shares[f] > LEGIBLE ? drawNumbers(panel, f) : "";
    });
    const tooSmall = numbered && !shares.some((share) => share > LEGIBLE);
    this.hint.querySelector(".kp-usual").hidden = tooSmall;
    this.hint.querySelector(".kp-too-small").hidden = !tooSmall;
  };
}
