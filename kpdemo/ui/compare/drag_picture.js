// The picture whose points are dragged, with its zoom and a loupe.

import { isKnown, round2 } from "../shared/common.js";
import { drawImage, percent } from "./drawing.js";
import { toPhoto, Zoom } from "./zoom.js";

const REACH = { mouse: 14, pen: 18, touch: 26 }; // pixels of the screen between pointer and point
const MARGIN = 0.06; // around the points, as a share of the view
const LOUPE = 4; // times that the loupe magnifies
const LOUPE_SIDE = 132; // pixels of the screen

export class DragPicture {
  #drag = null; // {pointer, from, at} or, of the background, {pointer, last}
  #base = [0, 0, 1, 1];
  #points = [];
  #selected = 0;

  // `select(k)`, `move(place)`, `end()` and `cancel()` are called as a point is dragged.
  constructor(element, handlers) {
    this.element = element;
    this.svg = element.querySelector(".kp-drag-picture");
    this.loupe = element.querySelector(".kp-loupe");
    this.handlers = handlers;
    this.zoom = new Zoom({ base: () => this.#base, onChange: () => this.#showFrame(), onSettle: () => {} });
    this.#listen();
    new ResizeObserver(() => this.svg.clientWidth && this.#showFrame()).observe(this.svg);
  }

  focus() {
    this.svg.focus({ preventScroll: true });
  }

  // Draws a face's picture with points to edit; the zoom stays where the face is the same.
  draw(data, f, { markup, points }) {
    const base = frameOf(data.faces[f].view, points);
    const isSame = base.every((number, axis) => number === this.#base[axis]);
    this.contours = data.markups[markup].contours;
    const closer = data.faces[f].src ? drawImage(data.faces[f].src, ...data.faces[f].view) : "";
    const others = data.panels
      .filter((panel) => panel.faces[f])
      .map(({ color, faces }) => {
        const dots = faces[f].points.filter(isKnown).map(([x, y]) => `M${x} ${y}h0`);
        return `<path style="--model: ${color}" d="${dots.join("")}"/>`;
      });
    const dots = points.map((at, k) => (isKnown(at) ? `<circle data-k="${k}"/>` : ""));
    this.svg.innerHTML = `<g id="kp-drag-photo">${drawImage(data.src, 0, 0, data.width, data.height)}${closer}</g><g class="kp-drag-others">${others.join("")}</g><path class="kp-drag-lines"/><g class="kp-drag-dots">${dots.join("")}</g>`;
    this.circles = new Map([...this.svg.querySelectorAll("circle")].map((dot) => [Number(dot.dataset.k), dot]));
    this.lines = this.svg.querySelector(".kp-drag-lines");
    this.#points = [];
    this.#base = base;
    if (!isSame) this.zoom.reset();
    this.#showFrame();
  }

  // Shows where the points are, and in the loupe `spots`, the models' {color, at} of the selected one.
  show({ points }, selected, spots) {
    for (const [k, dot] of this.circles) {
      if (points[k] === this.#points[k]) continue;
      dot.setAttribute("cx", points[k][0]);
      dot.setAttribute("cy", points[k][1]);
    }
    this.circles.get(this.#selected)?.classList.remove("kp-selected");
    this.circles.get(selected)?.classList.add("kp-selected");
    this.#points = points;
    this.#selected = selected;
    const lines = this.contours.flatMap((contour) =>
      contour.filter((k) => isKnown(points[k])).map((k, i) => `${i ? "L" : "M"}${points[k][0]} ${points[k][1]}`),
    );
    this.lines.setAttribute("d", lines.join(""));
    this.#magnify(spots);
  }

  // Ends a drag as if it had not begun; returns whether there was one.
  cancelDrag() {
    const isDrag = Boolean(this.#drag?.from);
    if (isDrag) {
      this.#drag = null;
      this.handlers.cancel();
    }
    return isDrag;
  }

  #showFrame() {
    const [x, y, width, height] = this.zoom.frame();
    this.svg.setAttribute("viewBox", [x - 0.5, y - 0.5, width, height].map(round2).join(" "));
    this.svg.style.setProperty("--unit", `${width / this.svg.clientWidth}px`); // a pixel of the screen
    this.svg.classList.toggle("kp-zoomed", this.zoom.scale > 1);
    const button = (kind) => this.element.querySelector(`[data-zoom="${kind}"]`);
    button("fit").textContent = percent(this.zoom.scale);
    button("out").disabled = this.zoom.scale <= 1;
    button("in").disabled = this.zoom.atMaximum;
  }

  #magnify(spots) {
    const matrix = this.svg.getScreenCTM();
    if (!matrix?.a) return;
    const [x, y] = this.#points[this.#selected];
    const side = LOUPE_SIDE / LOUPE / matrix.a;
    const unit = side / LOUPE_SIDE;
    this.loupe.setAttribute("viewBox", [x - side / 2, y - side / 2, side, side].join(" "));
    this.loupe.style.setProperty("--unit", `${unit}px`);
    const dots = spots.map(({ color, at }) => `<circle style="--model: ${color}" cx="${at[0]}" cy="${at[1]}"/>`);
    const gap = 5 * unit;
    const arm = 16 * unit;
    const cross = `M${x - arm} ${y}h${arm - gap}M${x + gap} ${y}h${arm - gap}M${x} ${y - arm}v${arm - gap}M${x} ${y + gap}v${arm - gap}`;
    this.loupe.innerHTML = `<use href="#kp-drag-photo"/>${dots.join("")}<path d="${cross}"/><path d="${cross}"/>`;
    // Away from the point, so that neither it nor a finger is hidden.
    const [left, , width] = this.zoom.frame();
    this.loupe.classList.toggle("kp-right", x < left + width / 2);
    this.loupe.toggleAttribute("hidden", false);
  }

  // The nearest point within reach, or null.
  #pointAt({ clientX, clientY, pointerType = "touch" }) {
    const matrix = this.svg.getScreenCTM();
    const { x, y } = toPhoto(this.svg, clientX, clientY);
    let best = null;
    let least = REACH[pointerType] / matrix.a;
    for (const [k, at] of this.#points.entries()) {
      const gap = isKnown(at) ? Math.hypot(at[0] - x, at[1] - y) : Number.POSITIVE_INFINITY;
      if (gap < least) [best, least] = [k, gap];
    }
    return best;
  }

  #listen() {
    const { svg, zoom, handlers } = this;
    svg.addEventListener("pointerdown", (event) => {
      if (event.button || this.#drag) return;
      const k = this.#pointAt(event);
      svg.setPointerCapture(event.pointerId);
      const from = toPhoto(svg, event.clientX, event.clientY);
      if (k === null) {
        this.#drag = { pointer: event.pointerId, last: from };
        return;
      }
      // The point keeps its distance to the pointer: it does not jump under a finger.
      this.#drag = { pointer: event.pointerId, from, at: this.#points[k] };
      handlers.select(k);
    });
    svg.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.#drag?.pointer) {
        if (event.pointerType === "mouse") svg.classList.toggle("kp-on-point", this.#pointAt(event) !== null);
        return;
      }
      const { x, y } = toPhoto(svg, event.clientX, event.clientY);
      const { from, at, last } = this.#drag;
      if (from) handlers.move([at[0] + x - from.x, at[1] + y - from.y]);
      else if (zoom.scale > 1) zoom.pan(last.x - x, last.y - y);
    });
    svg.addEventListener("pointerup", (event) => {
      if (event.pointerId !== this.#drag?.pointer) return;
      this.#drag = null;
      handlers.end();
    });
    svg.addEventListener("pointercancel", (event) => {
      if (event.pointerId === this.#drag?.pointer && !this.cancelDrag()) this.#drag = null;
    });
    // The page scrolls where no point is touched, unless the visitor has zoomed.
    svg.addEventListener(
      "touchstart",
      (event) => {
        if (zoom.scale > 1 || this.#pointAt(event.touches[0]) !== null) event.preventDefault();
      },
      { passive: false },
    );
    zoom.followWheel(svg);
    this.element.addEventListener("click", ({ target }) => {
      const way = target.closest("[data-zoom]")?.dataset.zoom;
      const [x, y] = this.#points[this.#selected] ?? [];
      if (way) zoom.by({ in: 1.5, out: 1 / 1.5, fit: 0 }[way], x === undefined ? undefined : { x, y });
    });
    this.element.querySelector("[name=others]").addEventListener("change", ({ target }) => {
      svg.classList.toggle("kp-with-others", target.checked);
    });
  }
}

// A square that holds a face's view and all its points: x, y, width, height.
function frameOf([left, top, width, height], points) {
  const known = points.filter(isKnown);
  const ends = (axis, low, high) => {
    const values = known.map((at) => at[axis]);
    return [Math.min(low, ...values), Math.max(high, ...values)];
  };
  const [x0, x1] = ends(0, left, left + width);
  const [y0, y1] = ends(1, top, top + height);
  const isInside = x0 === left && y0 === top && x1 === left + width && y1 === top + height;
  const side = Math.max(x1 - x0, y1 - y0) * (isInside ? 1 : 1 + 2 * MARGIN);
  return [(x0 + x1 - side) / 2, (y0 + y1 - side) / 2, side, side];
}
