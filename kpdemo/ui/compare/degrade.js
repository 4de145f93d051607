// Sliders that change the photo; the server, or this browser, answers with the changed picture and the models'
// results on it.

import { make, offer, round2 } from "../shared/common.js";
import { drawImage } from "./drawing.js";
import { driftOf } from "./drift.js";
import { shownComparison } from "./panels.js";

const PAUSE = 120; // milliseconds after a change, so that a held key sends one request
const PATIENCE = 15000; // milliseconds after which an answer counts as lost
const SCALE = 10; // percent of drift at which a bar is full, unless one is longer
const SIDES = { below: "from below", above: "from above", left: "from the left", right: "from the right" };

const path = (segments) => `<path d="${segments.join("")}"/>`;
const at = (point) => point.map(round2).join(" ");

// One model's lines and points on the picture.
function drawModel({ name, color, points, lines }) {
  const strokes = lines.flat().map((line) => `M${at(line.slice(0, 2))}L${at(line.slice(2))}`);
  const dots = points.flat().map((point) => `M${at(point)}h0`);
  return `<g data-model="${name}" style="--model: ${color}"><g class="kp-drift-lines">${path(strokes)}</g><g class="kp-drift-dots" data-count="${dots.length}">${path(dots)}${path(dots)}</g></g>`;
}

export default function mount({ element, props, trigger, watch }) {
  const main = element.querySelector(".kp-degrade");
  const empty = element.querySelector(".kp-degrade-empty");
  const svg = element.querySelector("svg");
  const sliders = element.querySelector(".kp-degrade-sliders");
  const message = element.querySelector(".kp-degrade-message");
  const rows = element.querySelector("tbody");
  const side = make("select", { name: "side", class: "kp-select", "aria-label": "Side that the cover comes from" });
  const inputs = new Map(); // the range inputs by name
  const hidden = new Set(); // models whose points are switched off

  let data = null;
  let sentAt = null; // when the request was sent whose answer is still to come
  let isStale = false; // whether the sliders were moved since
  let timer = 0;

  function buildSliders() {
    side.append(...Object.entries(SIDES).map(([value, text]) => new Option(text, value)));
    for (const { name, title, min, max, step, value, unit } of props.sliders) {
      const input = make("input", { type: "range", name, min, max, step, value });
      const output = make("output", {});
      const row = make("div", {}, make("label", {}, make("span", {}, title, output), input));
      if (name === "cover") row.append(side);
      inputs.set(name, input);
      input.addEventListener("input", () => describe(input, output, unit));
      describe(input, output, unit);
      sliders.append(row);
    }
  }

  function describe(input, output, unit) {
    const isNeutral = input.value === input.defaultValue;
    const text = input.name === "quality" && isNeutral ? "not compressed" : `${input.value.replace("-", "−")}${unit}`;
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  }

  const settings = () => ({
    ...Object.fromEntries([...inputs].map(([name, input]) => [name, Number(input.value)])),
    side: side.value,
  });

  const isWaiting = () => sentAt !== null && performance.now() - sentAt < PATIENCE;

  // One request at a time; the last of several settings is answered.
  function request() {
    clearTimeout(timer);
    isStale = isWaiting();
    if (isStale) return;
    sentAt = performance.now();
    element.setAttribute("aria-busy", "true");
    const wanted = { settings: settings() };
    if (offer("kp-degrade", { ...wanted, answer: load })) trigger("degrade", wanted);
  }

  // Another comparison is on the page; an answer that is still to come may be of the last one.
  function restart() {
    data = null;
    for (const input of inputs.values()) reset(input);
    if (isWaiting() || element.checkVisibility()) request();
  }

  function load(value) {
    data = value;
    sentAt = null;
    element.setAttribute("aria-busy", "false");
    empty.textContent = data.empty ?? "";
    empty.hidden = !data.empty;
    main.hidden = Boolean(data.empty);
    if (!data.empty) draw();
    if (isStale) request();
  }

  function reset(input) {
    input.value = input.defaultValue;
    input.dispatchEvent(new Event("input"));
  }

  function draw() {
    const drift = driftOf(data, shownComparison);
    const [x, y, width, height] = data.view;
    svg.setAttribute("viewBox", [x - 0.5, y - 0.5, width, height].join(" "));
    svg.style.setProperty("--aspect", width / height);
    svg.innerHTML = drawImage(data.src, x, y, width, height) + drift.models.map(drawModel).join("");
    message.textContent = drift.message;
    const full = Math.max(SCALE, ...drift.models.map(({ percent }) => percent ?? 0));
    rows.replaceChildren(...drift.models.map((model) => rowOf(model, full)));
    for (const name of hidden) showModel(name, false);
  }

  function rowOf({ name, title, color, percent, lost, faces }, full) {
    const box = make("input", { type: "checkbox", "data-model": name, ...(hidden.has(name) ? {} : { checked: "" }) });
    const label = make("label", {}, box, make("i", { class: "kp-swatch", style: `background: ${color}` }), title);
    const bar = make("span", { class: "kp-drift-bar", style: `--share: ${(percent ?? 0) / full}` });
    const figure = percent === null ? "no points" : `${percent.toFixed(1)} %`;
    const losses = faces === 1 ? (lost ? "lost" : "–") : `${lost} of ${faces}`;
    return make(
      "tr",
      { "data-model": name, style: `--model: ${color}` },
      make("th", { scope: "row" }, label),
      make("td", {}, make("span", { class: "kp-drift" }, bar, make("span", {}, figure))),
      make("td", {}, losses),
    );
  }

  function showModel(name, isShown) {
    svg.querySelector(`[data-model="${CSS.escape(name)}"]`)?.toggleAttribute("hidden", !isShown);
  }

  element.addEventListener("change", ({ target }) => {
    if (target.matches("[type=range]") || target === side) {
      clearTimeout(timer);
      timer = setTimeout(request, PAUSE);
    } else if (target.dataset.model) {
      hidden[target.checked ? "delete" : "add"](target.dataset.model);
      showModel(target.dataset.model, target.checked);
    } else {
      svg.classList.toggle(`kp-no-${target.name}`, !target.checked);
    }
  });
  element.querySelector("[data-reset]").addEventListener("click", () => {
    for (const input of inputs.values()) reset(input);
    request();
  });
  buildSliders();
  watch("value", () => props.value && load(JSON.parse(props.value)));
  document.addEventListener("kp-result", restart);
  const observer = new IntersectionObserver(
    ([entry]) => {
      if (entry.isIntersecting && (!data || data.empty)) request();
    },
    { rootMargin: "100%" },
  );
  observer.observe(element);
}
