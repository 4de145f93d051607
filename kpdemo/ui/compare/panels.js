// The compared photo with the models' points on it, and the finding about them.

import { formatDuration, make, plural, SVG, saveFile } from "../shared/common.js";
import { emptyReason, fillSelect, fillViews } from "./choices.js";
import { Comparison } from "./comparison.js";
import { drawRing } from "./drawing.js";
import { Faces, faceAt } from "./faces.js";
import { announcement, sentence } from "./finding.js";
import { atPoint, onAverage } from "./inspection.js";
import { Inspector } from "./inspector.js";
import { fillMatrix } from "./matrix.js";
import { firstPoint, isSame, nearest, neighbour } from "./navigate.js";
import { Overlay } from "./overlay.js";
import { Painter } from "./painter.js";
import { handlePointers } from "./pointers.js";
import { keyOf } from "./reference.js";
import { resultFile, stemOf } from "./result_files.js";
import { Settings } from "./settings.js";
import { Slide } from "./slide.js";
import { snapshot } from "./snapshot.js";
import { watchTracker } from "./waiting.js";
import { toPhoto, Zoom } from "./zoom.js";

const NO_POINTS = "This model found no points on this face; choose another under “View”.";
const PHONE = matchMedia("(max-width: 640px)");

export let shownResult = null; // the last one; later ones come as "kp-result" events
export let shownComparison = null; // the one on the page; later ones come as "kp-comparison" events

function publish(comparison) {
  shownComparison = comparison;
  document.dispatchEvent(new CustomEvent("kp-comparison", { detail: comparison }));
}

export default function mount({ element, props, trigger, watch }) {
  const [tools, take] = element.querySelectorAll(".kp-tools");
  const hint = element.querySelector(".kp-hint");
  const empty = element.querySelector(".kp-empty");
  const finding = element.querySelector(".kp-finding");
  const matrix = element.querySelector(".kp-matrix");
  const grid = element.querySelector(".kp-grid");
  const input = (name) => element.querySelector(`[name="${name}"]`);
  const view = input("view");
  const layers = [...tools.querySelectorAll("[type=checkbox]")];

  const state = {
    data: null,
    comparison: null,
    panels: [], // of the chosen models, prepared
    chosen: null, // the names of the models that are ticked; null is all
    runs: 0, // how often the server computes for this page
    screens: [], // the pictures on the page: {svg, figure, mark, panels}
    highlight: null, // {panel, face, point}
  };
  const faces = new Faces(element.querySelector(".kp-faces"), lookAt);
  const inspector = new Inspector(element.querySelector(".kp-inspector"), element.querySelector(".kp-spoken"));
  const painter = new Painter(state, element, PHONE);
  const zoom = new Zoom({ base: painter.base, onChange: painter.showFrame, onSettle: painter.settle });
  const slide = new Slide(state, zoom);
  const overlay = new Overlay(() => highlight(state.highlight));
  Object.assign(painter, { zoom, slide, overlay });
  const settings = new Settings({
    state,
    tools,
    layers,
    overlay,
    selects: { ...slide.selects, reference: input("reference") },
    defaultMode: PHONE.matches ? "overlay" : "side",
    status: take.querySelector("[role=status]"),
    onRestore: () => {
      for (const box of layers) showLayer(box);
      show();
      trigger("settings");
    },
  });

  function load() {
    const { src: before, isPartial: isGoingOn } = state.data ?? {};
    const data = props.value ? JSON.parse(props.value) : null;
    state.data = data;
    state.comparison = data && new Comparison(data);
    const isNew = data?.src !== before;
    if (data && isNew) {
      fillViews(view, data, PHONE.matches);
      faces.load(data);
      faces.mark(Number(view.value));
      zoom.reset();
    }
    show();
    if (!data) return;
    if (!data.isPartial) {
      shownResult = data.result;
      document.dispatchEvent(new CustomEvent("kp-result", { detail: shownResult }));
      if (isNew || isGoingOn) inspector.announce(announcement(state.comparison.facts()));
    }
    if (!isNew) return;
    if (before === undefined && settings.isLink) trigger("settings"); // there is now a photo for its models
    // On a narrow screen the result of a photo lies below the controls, out of sight.
    if (before && state.panels.length && innerWidth < 800) element.scrollIntoView({ behavior: "smooth" });
  }

  // Shows a face's close-up, or the whole photo.
  function lookAt(number) {
    view.value = number;
    faces.mark(number);
    zoom.reset();
    draw();
  }

  // Shows the chosen models of the comparison, or why there is nothing to show.
  function show() {
    const { comparison, data } = state;
    comparison?.choose(state.chosen);
    state.panels = comparison?.panels ?? [];
    const any = state.panels.length > 0;
    empty.hidden = any;
    empty.querySelector("strong").textContent = emptyReason(data);
    for (const part of [tools, take, hint, inspector.element, matrix, finding]) part.hidden = !any;
    faces.strip.hidden = !any || data.faces.length < 2;
    const look = element.querySelector(".kp-look");
    look.textContent = data?.look ?? "";
    look.hidden = !data?.look;
    for (const label of element.querySelectorAll(".kp-if-truth")) label.hidden = !data?.truth;
    const hasErrors = state.panels.some((panel) => panel.faces.some((face) => face?.radii));
    element.querySelector(".kp-if-expected").hidden = !hasErrors;
    document.dispatchEvent(new CustomEvent("kp-recent", { detail: data?.recent ?? [] }));
    listModels();
    refer();
    arrange();
  }

  function listModels() {
    const { panels } = state;
    const files = panels.filter((panel) => panel.pts);
    const unet = panels.find((panel) => panel.name === "unet");
    fillSelect(input("pts"), files, files.includes(unet) ? unet : files[0]);
    element.querySelector(".kp-pts").hidden = !files.length;
    fillSelect(slide.a, panels, unet ?? panels[0]);
    const other = panels.find((panel) => panel.baseline && panel.name !== slide.a.value);
    fillSelect(slide.b, panels, other ?? panels.at(-1));
    const references = state.comparison?.references ?? [];
    fillSelect(input("reference"), references, references[0]);
  }

  // Measures the models against the chosen reference.
  function refer() {
    const { comparison } = state;
    if (!comparison) {
      publish(null);
      return;
    }
    comparison.refer(input("reference").value);
    const facts = comparison.facts();
    finding.textContent = sentence(facts);
    element.querySelector(".kp-reference").textContent = `to ${comparison.reference?.title ?? "a reference"}`;
    fillMatrix(matrix.querySelector("table"), comparison.answering, (a, b) => comparison.between(a, b).share);
    publish(comparison);
  }

  function showLayer(box) {
    grid.classList.toggle(`kp-no-${box.name}`, !box.checked);
    if (box.name === "vectors") tools.querySelector(".kp-if-vectors").hidden = !box.checked;
    if (box.name === "expected") hint.querySelector(".kp-circles").hidden = !box.checked;
  }

  // Puts the pictures on the page, as many as the chosen arrangement has.
  function arrange() {
    const { panels } = state;
    state.highlight = null;
    const mode = tools.querySelector("[name=mode]:checked").value;
    grid.classList.toggle("kp-one", mode !== "side");
    const focused = document.activeElement;
    const at = state.screens.findIndex(({ svg }) => svg === focused);
    state.screens = []; // a picture that leaves the page loses the focus, and would darken the new ones
    const screens = panels.length ? { side: sideScreens, overlay: overlayScreens, slide: slideScreens }[mode]() : [];
    grid.replaceChildren(...screens.map((screen) => screen.figure));
    state.screens = screens;
    if (panels.length) draw();
    // Focusing lays everything out at once, so only what has lost it gets it back.
    if (document.activeElement !== focused) (screens[at]?.svg ?? focused)?.focus({ preventScroll: true });
  }

  const sideScreens = () => [
    ...(state.panels.length > 1 ? overlayScreens(false) : []),
    ...state.panels.map(panelScreen),
  ];

  function panelScreen(panel) {
    const { milliseconds, device } = panel;
    const count = plural(panel.names.length, "point");
    const isSeen = panel.faces.some(Boolean);
    const meta = isSeen ? [count, formatDuration(milliseconds), device] : ["no face here"];
    const screen = newScreen([panel], `${panel.title}, the arrow keys go from point to point`);
    screen.figure = make(
      "figure",
      { class: "kp-panel", "data-model": panel.name, style: `--model: ${panel.color}` },
      make("figcaption", {}, make("strong", {}, panel.title), make("span", { class: "kp-meta" }, meta.join(" · "))),
      screen.svg,
    );
    return screen;
  }

  function overlayScreens(large = true) {
    const panels = state.panels.map((panel) => overlay.panelOf(panel, state.comparison.markups));
    return [overlay.frame(newScreen(panels, "All models, the arrow keys go from point to point"), large)];
  }

  function slideScreens() {
    const panels = slide.panels();
    const [a, b] = panels.map(({ title }) => title);
    const label = `${a} left, ${b} right of the divider, the arrow keys go from point to point`;
    return [slide.frame(newScreen(panels, label))];
  }

  function newScreen(panels, label) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "application");
    svg.setAttribute("aria-roledescription", "photo with keypoints");
    svg.setAttribute("aria-label", label);
    const screen = { svg, panels };
    handlePointers(screen, { zoom, slide, point });
    svg.addEventListener("click", (event) => choose(event, screen));
    svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && highlight(null));
    svg.addEventListener("keydown", (event) => step(event, screen));
    svg.addEventListener("focus", () => {
      if (svg.matches(":focus-visible") && !state.highlight) start(screen);
    });
    svg.addEventListener("blur", () => highlight(null));
    return screen;
  }

  function draw() {
    painter.draw();
    highlight(state.highlight);
  }

  // The panels of a screen that a pointer at an event can mean.
  function pointed(event, screen) {
    if (screen.slides) return [screen.panels[slide.isLeft(event, screen) ? 0 : 1]];
    return screen.chips ? screen.panels.filter(overlay.isOn) : screen.panels;
  }

  // Highlights the point that the pointer means, if any.
  function point(event, screen) {
    const target = nearest(event, screen, pointed(event, screen));
    if (!isSame(target, state.highlight)) highlight(target);
  }

  // A click on a face of a group leads to its close-up; a finger points instead.
  function choose(event, screen) {
    const isWhole = Number(view.value) < 0 && state.data.faces.length > 1 && zoom.scale === 1;
    if (event.pointerType !== "mouse" || !isWhole || slide.isOnDivider(event, screen)) return;
    const face = faceAt(state.data.faces, toPhoto(screen.svg, event.clientX, event.clientY));
    if (face >= 0) lookAt(face);
  }

  function start(screen) {
    const panels = screen.chips ? screen.panels.filter(overlay.isOn) : screen.panels;
    const target = panels.map((panel) => firstPoint(panel, Number(view.value))).find(Boolean);
    if (target) highlight(target);
  }

  function step(event, screen) {
    if (event.key === "Escape") highlight(null);
    if (zoom.handleKey(event)) return;
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0;
    const turn = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
    if (!move && !turn) return;
    event.preventDefault();
    const last = state.highlight;
    if (!last || !screen.panels.includes(last.panel)) {
      start(screen);
      return;
    }
    const next = neighbour(last, move, turn);
    highlight(next);
    zoom.reveal(next.panel.faces[next.face].points[next.point]);
  }

  // Highlights one point, and the same place of the same face everywhere; none if null.
  function highlight(target) {
    state.highlight = target;
    for (const screen of state.screens) {
      const rings = screen.panels.map((panel) => {
        const spot = target && (!screen.chips || overlay.isOn(panel)) && spotOf(panel, target);
        const box = spot && state.data.faces[target.face].box;
        return spot ? drawRing(box, spot, target.panel.single[target.point] ?? "", panel.color) : "";
      });
      screen.mark.innerHTML = rings.join("");
    }
    inspect(target);
  }

  // Where a panel has the place of the highlighted point, or null.
  function spotOf(panel, { panel: origin, face, point }) {
    if (panel === origin) return panel.faces[face].points[point];
    return state.comparison.place(panel.faces[face], keyOf(origin.markup, origin, point));
  }

  // Says in the bar what there is to say about a point, or about all of them where it is null.
  function inspect(target) {
    const choice = Number(view.value);
    const faces = choice < 0 ? state.data.faces.map((_, f) => f) : [choice];
    const { title, meaning, rows, spoken } = target
      ? atPoint(state.comparison, target)
      : onAverage(state.comparison, faces);
    inspector.show(title, meaning, rows);
    if (spoken) inspector.announce(spoken);
  }

  function picture() {
    highlight(null);
    return snapshot(grid, finding);
  }

  const saveImage = async () => saveFile(`${stemOf(state.data.file)}-kpdemo.png`, await picture());

  async function copyImage() {
    try {
      await navigator.clipboard.write([new ClipboardItem({ "image/png": picture() })]);
      settings.say("the picture is copied");
    } catch {
      settings.say("this browser lets no page copy a picture: download it as PNG");
    }
  }

  function saveResult(kind) {
    const { result, file, markups, titles } = state.data;
    const wanted = { kind, model: input("pts").value, face: Math.max(Number(view.value), 0) };
    const saved = resultFile(result, wanted, state.chosen && [...state.chosen], file, markups, titles);
    if (saved) saveFile(saved.name, new Blob([saved.text], { type: saved.type }));
    else settings.say(NO_POINTS);
  }

  element.addEventListener("change", ({ target }) => {
    if (target.matches("select")) target.dataset.preference = target.value;
    if (layers.includes(target)) {
      showLayer(target);
      if (target.name === "numbers") painter.settle();
      if (target.name === "expected") painter.drawExpected();
      if (target.name === "vectors") painter.drawVectors();
    } else if (target === view) {
      lookAt(Number(view.value));
    } else if (target.name === "reference") {
      refer();
      painter.drawVectors();
      painter.drawScale();
      highlight(state.highlight);
    } else if (target.name === "enlarged") {
      painter.drawVectors();
      painter.drawScale();
    } else if (["mode", "a", "b"].includes(target.name)) {
      arrange();
    }
  });
  element.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    const { zoom: direction, download: kind } = button?.dataset ?? {};
    if (direction) zoom.by({ in: 1.5, out: 1 / 1.5, fit: 0 }[direction]);
    if (kind === "png") saveImage();
    else if (kind === "copy") copyImage();
    else if (kind) saveResult(kind);
    if (button && "link" in button.dataset) settings.copy();
  });
  document.addEventListener("kp-models", ({ detail }) => {
    state.chosen = new Set(detail);
    if (state.data) show();
  });
  // Models that are chosen on another tab are computed when this one is looked at again.
  const isMissing = (name) => state.data.models?.includes(name) === false;
  new ResizeObserver(() => {
    if (!element.getClientRects().length || !state.data?.faces.length || !state.chosen || state.runs) return;
    if ([...state.chosen].some(isMissing)) trigger("missing");
  }).observe(element);
  document.addEventListener("kp-busy", ({ detail }) => {
    state.runs += detail;
    for (const button of take.querySelectorAll("[data-download]")) button.disabled = state.runs > 0;
  });
  watchTracker(element.closest("#panels"));
  watch("value", load);
  tools.querySelector(`[name=mode][value="${settings.defaultMode}"]`).checked = true;
  const fold = () => tools.querySelector("details").toggleAttribute("open", !PHONE.matches);
  fold();
  PHONE.addEventListener("change", fold);
  for (const box of layers) showLayer(box);
  load();
  settings.restore();
  trigger("opened");
}
