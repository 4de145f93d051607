// The value holds a whole layer, so that nothing here needs the server.

import { decodeBase64, make, plural } from "../shared/common.js";
import { COLORS, decodeSigned, fitCells, paint, paintKernel, VEIL } from "./paint.js";
import { responsePicture } from "./response.js";
import { exact, onSum, sumView } from "./sums.js";
import { aboutLayer, formatNumber, rankOf, reading } from "./words.js";

const PAGE_SIZE = 128; // kernels at once
const TILE_SIDE = 56; // pixels of a kernel and of its map in the grid
const DETAIL_SIDE = 150; // and beside the grid
const largest = (values) => values.reduce((most, value) => Math.max(most, value), 0) || 1;

// A map is as large as the part of the face that it lies on, and the browser blurs no cell.
function stretch(canvas, side) {
  const step = side / Math.max(canvas.width, canvas.height);
  canvas.style.width = `${canvas.width * step}px`;
  canvas.style.height = `${canvas.height * step}px`;
  return canvas;
}

const figure = (title, picture, words) =>
  make(
    "figure",
    {},
    make("b", {}, title),
    make("div", { class: "kp-cellbox" }, picture),
    make("figcaption", {}, words),
  );

export default function mount({ element, props, trigger, watch }) {
  const empty = element.querySelector(".kp-kernels-empty");
  const all = element.querySelector(".kp-kernels-all");
  const about = element.querySelector(".kp-kernels-about");
  const hint = element.querySelector(".kp-kernels-hint");
  const grid = element.querySelector(".kp-kernels");
  const pages = element.querySelector(".kp-pages");
  const close = element.querySelector(".kp-kernel-close");
  const details = element.querySelector(".kp-kernel-details");
  const status = element.querySelector(".kp-spoken");
  const order = element.querySelector('[name="order"]');
  const scale = element.querySelector('[name="scale"]');

  let data = null;
  let pictures, maps, slices, inputs; // the layer's bytes
  let ranks = []; // kernels in the order of the page
  let tileCache = new Map(); // tiles by kernel, in the present colours
  let page = 0;
  let current = 0;
  let preview = null; // the kernel under the pointer or the focus
  let cell = null; // row and column of the map whose sum is shown
  let answer = null; // the sum of that cell; answers may come in another order than questions

  const gainOf = (scales, k) => (scale.value === "layer" ? scales[k] / largest(scales) : 1);

  function load() {
    data = props.value ? JSON.parse(props.value) : null;
    empty.hidden = Boolean(data);
    all.hidden = !data;
    if (!data) return;
    pictures = decodeSigned(data.pictures);
    maps = data.answers && decodeSigned(data.answers.values);
    slices = data.slices && decodeSigned(data.slices.values);
    inputs = data.slices && new Uint16Array(decodeBase64(data.slices.inputs).buffer);
    order.querySelector('[value="strength"]').disabled = !data.answers;
    if (!data.answers) order.value = "file";
    about.textContent = aboutLayer(data);
    hint.textContent = data.hint;
    hint.hidden = !data.hint;
    close.classList.remove("kp-open");
    tileCache = new Map();
    arrange();
  }

  function arrange() {
    ranks = Array.from({ length: data.outputs }, (_, k) => k);
    if (order.value === "strength") ranks.sort((a, b) => data.answers.strengths[b] - data.answers.strengths[a]);
    page = 0;
    current = ranks[0];
    preview = cell = null;
    draw();
  }

  function draw() {
    const from = page * PAGE_SIZE;
    const here = ranks.slice(from, from + PAGE_SIZE);
    grid.replaceChildren(...here.map(tile));
    const last = Math.ceil(ranks.length / PAGE_SIZE) - 1;
    pages.hidden = last < 1;
    pages.querySelector("span").textContent = `${from + 1}–${from + here.length} of ${ranks.length}`;
    for (const button of pages.querySelectorAll("button")) {
      button.disabled = page + Number(button.dataset.turn) < 0 || page + Number(button.dataset.turn) > last;
    }
    (tileOf(current) ?? grid.firstChild).tabIndex = 0;
    show();
  }

  const tileOf = (k) => grid.querySelector(`[data-k="${k}"]`);

  function tile(k) {
    if (!tileCache.has(k)) tileCache.set(k, newTile(k));
    tileCache.get(k).tabIndex = -1;
    return tileCache.get(k);
  }

  function newTile(k) {
    const strength = data.answers?.strengths[k];
    const words = `kernel ${k + 1}${data.points ? `, ${data.points[k]}` : ""}${data.answers ? `, strength ${formatNumber(strength)}` : ""}`;
    const button = make(
      "button",
      { type: "button", class: "kp-kernel", "data-k": k, "aria-label": words },
      make("span", { class: "kp-cellbox" }, fitCells(kernelOf(k), TILE_SIDE)),
    );
    if (data.answers) button.append(make("span", { class: "kp-cellbox" }, stretch(mapOf(k), TILE_SIDE)));
    const caption = make("span", { class: "kp-kernel-name" }, make("b", {}, `${k + 1}`));
    if (data.answers) caption.append(` ${formatNumber(strength)}`);
    button.append(caption);
    return button;
  }

  const kernelOf = (k) => paintKernel(data, pictures, k, gainOf(data.scales, k));

  function mapOf(k, colors = COLORS) {
    const [rows, columns] = data.answers.shape;
    return paint(maps, k * rows * columns, [1, rows, columns], gainOf(data.answers.scales, k), colors);
  }

  function show() {
    markCurrent();
    const k = preview ?? current;
    const figures = [figure("Kernel", fitCells(kernelOf(k), DETAIL_SIDE), kernelWords(k))];
    if (data.answers) {
      const { cells, lows, highs } = data.answers;
      const range = `${formatNumber(lows[k])} to ${formatNumber(highs[k])}, ${cells[1]}×${cells[0]} cells`;
      figures.push(figure("Activation", stretch(mapOf(k), DETAIL_SIDE), range));
    }
    const strength = data.answers
      ? make(
          "p",
          {},
          `Strength ${formatNumber(data.answers.strengths[k])}, ${rankOf(data.answers, k)} of ${data.outputs}: the mean of its activation${data.norm ? ", after the batch norm that follows," : ""} over the face, with what is below zero counted as zero.`,
        )
      : "";
    const sum = make("div", { class: "kp-sum-place" });
    details.replaceChildren(
      make(
        "h2",
        {},
        `Kernel ${k + 1}`,
        make("span", {}, ` of ${data.outputs}${data.points ? `, ${data.points[k]}` : ""}`),
      ),
      data.answers ? onPhoto(k) : "",
      sum,
      make("div", { class: "kp-figures" }, ...figures),
      strength,
      make("p", {}, reading(data, k)),
      ...(data.slices ? sliceGrid(k) : []),
    );
    showSum();
  }

  function onPhoto(k) {
    const choose = (place) => {
      cell = place;
      current = k;
      preview = null;
      askForSum();
    };
    return make(
      "figure",
      { class: "kp-response" },
      responsePicture(data.answers, data.title, k, mapOf(k, VEIL), k === current ? cell : null, choose),
      make("figcaption", {}, "On the photo. Choose a place to see the sum behind it."),
    );
  }

  function askForSum() {
    trigger("place", { kernel: current, row: cell[0], column: cell[1] });
    markCurrent();
    showSum();
  }

  const isShown = (sum) =>
    sum &&
    sum.model === data.model &&
    sum.layer === data.name &&
    sum.kernel === (preview ?? current) &&
    sum.row === cell?.[0] &&
    sum.column === cell?.[1];

  function showSum() {
    const spot = details.querySelector(".kp-sum-place");
    if (!spot) return;
    const waits = cell && (preview ?? current) === current;
    spot.replaceChildren(
      isShown(answer) ? sumView(answer) : waits ? make("p", { class: "kp-faint" }, "Adding up …") : "",
    );
  }

  function takeSum(sum) {
    if (!isShown(sum)) return;
    answer = sum;
    showSum();
    status.textContent = `Row ${sum.row + 1}, column ${sum.column + 1}: ${exact(sum.value)}, of ${plural(sum.inputs, "input")}`;
  }

  function markCurrent() {
    for (const button of grid.children) {
      button.setAttribute("aria-pressed", Number(button.dataset.k) === current);
    }
  }

  function kernelWords(k) {
    const range = `weights ${formatNumber(data.lows[k])} to ${formatNumber(data.highs[k])}`;
    return data.strongest ? `${range}; shown is input ${data.strongest[k] + 1} of ${data.inputs}` : range;
  }

  function sliceGrid(k) {
    const { count: shown } = data.slices;
    const [rows, columns] = data.kernel;
    const cells = rows * columns;
    const title = data.inputs === 3 && data.readsPicture ? ["red", "green", "blue"] : null;
    const list = Array.from({ length: shown }, (_, at) => {
      const input = inputs[k * shown + at];
      const canvas = fitCells(paint(slices, (k * shown + at) * cells, [1, rows, columns], gainOf(data.scales, k)), 36);
      return make("li", {}, canvas, title ? title[input] : `${input + 1}`);
    });
    const more = data.inputs - shown;
    return [
      make("h3", {}, "Its inputs, strongest first"),
      make("ol", { class: "kp-slices" }, ...list),
      more ? make("p", {}, `and ${more} more, all weaker`) : "",
    ];
  }

  function choose(k) {
    current = k;
    preview = null;
    close.classList.add("kp-open");
    show();
    if (cell) askForSum(); // the same place for the next kernel
    // Out from under what comes up from below.
    tileOf(k).scrollIntoView({ block: "nearest" });
    status.textContent = `Kernel ${k + 1} of ${data.outputs}${data.answers ? `, strength ${formatNumber(data.answers.strengths[k])}, ${rankOf(data.answers, k)}` : ""}`;
  }

  function focus(button) {
    for (const other of grid.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
  }

  function turn(by) {
    page += by;
    draw();
  }

  function shut() {
    close.classList.remove("kp-open");
    (tileOf(current) ?? grid.firstChild).focus();
  }

  grid.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    focus(button);
    choose(Number(button.dataset.k));
  });
  // Under the pointer or the focus, a kernel is shown before it is chosen.
  function look(k) {
    if (k === preview || !data) return;
    preview = k;
    show();
  }
  const kernelUnder = ({ target }) => {
    const button = target.closest?.(".kp-kernel");
    return button ? Number(button.dataset.k) : null;
  };
  grid.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse" && kernelUnder(event) !== null) look(kernelUnder(event));
  });
  grid.addEventListener("pointerleave", () => look(null));
  grid.addEventListener("focusin", (event) => {
    if (event.target.matches(":focus-visible")) look(kernelUnder(event));
  });
  grid.addEventListener("focusout", ({ relatedTarget }) => {
    if (!grid.contains(relatedTarget)) look(null);
  });
  grid.addEventListener("keydown", (event) => {
    const tiles = [...grid.children];
    const at = tiles.indexOf(event.target.closest("button"));
    if (at < 0) return;
    const abreast = tiles.filter((other) => other.offsetTop === tiles[0].offsetTop).length;
    const to = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at + abreast,
      ArrowUp: at - abreast,
      Home: 0,
      End: tiles.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (tiles[to]) focus(tiles[to]);
  });
  all.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && close.classList.contains("kp-open")) shut();
  });
  close.querySelector(".kp-close").addEventListener("click", shut);
  pages.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) turn(Number(button.dataset.turn));
  });
  order.addEventListener("change", arrange);
  scale.addEventListener("change", () => {
    tileCache = new Map();
    draw();
  });
  onSum(takeSum);
  watch("value", load);
  load();
}
