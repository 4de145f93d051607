// A panel for each model: the photo with the model's points, linked with the others.

import { formatDuration, isKnown, make, mean, plural, round2, SVG } from "../shared/common.js";
import { drawFace, drawImage, drawNumbers, drawRing, percent, UNITS_ACROSS } from "./drawing.js";
import { handlePointers } from "./pointers.js";
import { Settings } from "./settings.js";
import { Slide } from "./slide.js";
import { toPhoto, Zoom } from "./zoom.js";

const REACH = 16; // pixels of the screen between the pointer and a point that it still means
const LEGIBLE = 0.2; // a face narrower than this share of the picture has no room for numbers

const middle = (points, at) => [0, 1].map((axis) => mean(at.map((k) => points[k][axis])));

// A panel of the component's value, with what is often asked of it: `single`, the place that a point
// alone stands for, and `gaps`, each face's distances by point.
function prepare(panel) {
  const single = panel.names.map(() => null);
  for (const [place, at] of Object.entries(panel.places)) {
    if (at.length === 1) single[at[0]] = place;
  }
  const gaps = panel.faces.map(
    (prediction) => new Map((prediction?.gaps ?? []).map(([k, share, pixels, line]) => [k, { share, pixels, line }])),
  );
  return { ...panel, single, gaps };
}

export default function mount({ element, props, trigger, watch }) {
  const [tools, take] = element.querySelectorAll(".kp-tools");
  const hint = element.querySelector(".kp-hint");
  const empty = element.querySelector(".kp-empty");
  const grid = element.querySelector(".kp-grid");
  const status = element.querySelector(".kp-spoken");
  const input = (name) => element.querySelector(`[name="${name}"]`);
  const view = input("view");
  const layers = [...tools.querySelectorAll("[type=checkbox]")];

  const state = {
    data: null,
    panels: [], // data.panels, prepared
    screens: [], // the pictures on the page: {svg, figure, mark, indices of panels, captions}
    highlight: null, // {face, panel, point}
  };
  const zoom = new Zoom({ base, onChange: showFrame, onSettle: settle });
  const slide = new Slide(state, zoom);
  const settings = new Settings({
    state,
    tools,
    layers,
    selects: slide.selects,
    status: take.querySelector("[role=status]"),
    onRestore: () => {
      listModels();
      for (const box of layers) showLayer(box);
      arrange();
      trigger("settings");
    },
  });

  function load() {
    const before = state.panels.length ? state.data.src : null;
    const data = props.value ? JSON.parse(props.value) : null;
    const any = Boolean(data?.panels.length);
    state.data = data;
    empty.hidden = any;
    empty.querySelector("strong").textContent = emptyReason();
    tools.hidden = take.hidden = hint.hidden = !any;
    state.panels = any ? data.panels.map(prepare) : [];
    const same = any && data.src === before;
    if (any && !same) {
      listViews();
      zoom.reset();
    }
    for (const label of element.querySelectorAll(".kp-if-truth")) label.hidden = !data?.truth;
    element.querySelector(".kp-reference").textContent = data?.truth ? "to the ground truth" : "to MediaPipe";
    listModels();
    arrange();
    // On a narrow screen the panels lie below the controls, out of sight.
    if (any && !same && innerWidth < 800) element.scrollIntoView({ behavior: "smooth", block: "start" });
  }

  // Why there are no panels.
  function emptyReason() {
    if (!state.data) return "Nothing compared yet.";
    if (!state.data.faces.length) return "No face found on this photo.";
    return "The chosen models found no points: choose others.";
  }

  function listViews() {
    const { faces, start } = state.data;
    const many = faces.length;
    const whole = ["Whole photo", "Both faces"][many - 1] ?? `All ${many} faces`;
    view.replaceChildren(
      new Option(whole, -1),
      ...faces.map((_, k) => new Option(many > 1 ? `Face ${k + 1}` : "Close-up", k)),
    );
    view.value = start ? 0 : -1;
  }

  // The selects that name models keep what was chosen, here or by a link, whenever it is there.
  function listModels() {
    const { panels } = state;
    const fill = (select, from, otherwise) => {
      const { preference } = select.dataset;
      select.replaceChildren(...from.map((panel) => new Option(panel.title, panel.name)));
      select.value = from.some((panel) => panel.name === preference) ? preference : otherwise?.name;
    };
    const files = panels.filter((panel) => panel.pts);
    fill(input("pts"), files, files.find((panel) => panel.name === "unet") ?? files[0]);
    element.querySelector(".kp-pts").hidden = !files.length;
    fill(slide.a, panels, panels.find((panel) => panel.name === "unet") ?? panels[0]);
    fill(slide.b, panels, panels.find((panel) => panel.baseline && panel.name !== slide.a.value) ?? panels.at(-1));
  }

  const showLayer = (box) => grid.classList.toggle(`kp-no-${box.name}`, !box.checked);

  // Puts the pictures on the page, as many as the chosen arrangement has.
  function arrange() {
    const { panels } = state;
    state.highlight = null;
    const single = tools.querySelector("[name=mode]:checked").value === "slide";
    grid.classList.toggle("kp-one", single);
    const focused = document.activeElement;
    const at = state.screens.findIndex(({ svg }) => svg === focused);
    state.screens = []; // a picture that leaves the page loses the focus, and would darken the new ones
    const screens = single && panels.length ? [slideScreen()] : panels.map(panelScreen);
    grid.replaceChildren(...screens.map((screen) => screen.figure));
    state.screens = screens;
    if (state.data) draw();
    (screens[at]?.svg ?? focused)?.focus({ preventScroll: true });
  }

  function panelScreen(panel, index) {
    const times = panel.faces.filter(Boolean).map((prediction) => prediction.milliseconds);
    const meta = [plural(panel.names.length, "point"), ...(times.length ? [formatDuration(mean(times))] : [])];
    const screen = newScreen([index], `${panel.title}, the arrow keys go from point to point`);
    screen.figure = make(
      "figure",
      { class: "kp-panel", "data-model": panel.name, style: `--model: ${panel.color}` },
      make("figcaption", {}, make("strong", {}, panel.title), make("span", { class: "kp-meta" }, meta.join(" · "))),
      screen.svg,
      ...screen.captions,
    );
    return screen;
  }

  function slideScreen() {
    const indices = slide.indices();
    const [a, b] = indices.map((index) => state.panels[index].title);
    const label = `${a} left, ${b} right of the divider, the arrow keys go from point to point`;
    return slide.frame(newScreen(indices, label));
  }

  function newScreen(indices, label) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "application");
    svg.setAttribute("aria-roledescription", "photo with keypoints");
    svg.setAttribute("aria-label", label);
    const screen = { svg, indices, captions: indices.map(() => make("p", { class: "kp-says" })) };
    handlePointers(screen, { zoom, slide, point });
    svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && highlight(null));
    svg.addEventListener("keydown", (event) => step(event, screen));
    svg.addEventListener("focus", () => {
      if (svg.matches(":focus-visible") && !state.highlight) start(screen);
    });
    svg.addEventListener("blur", () => highlight(null));
    return screen;
  }

  // What is visible without zoom: x, y, width, height in the photo.
  function base() {
    const { faces, width, height } = state.data;
    return faces[Number(view.value)]?.view ?? [0, 0, width, height];
  }

  // Faces outside cost time where there are dozens.
  function isInside(f, [x, y, width, height]) {
    const [x0, y0, x1, y1] = state.data.faces[f].box;
    return x0 < x + width && x1 > x && y0 < y + height && y1 > y;
  }

  function draw() {
    const { data, panels } = state;
    const times = {}; // milliseconds a face, by model
    for (const screen of state.screens) {
      const started = performance.now();
      const overlays = screen.indices.map((index, side) => {
        const panel = panels[index];
        const faces = panel.faces.map((_, f) => (isInside(f, base()) ? drawFace(data, panel, f) : ""));
        const clip = screen.indices.length > 1 ? ` clip-path="url(#kp-clip-${side})"` : "";
        return `<g class="kp-overlay" style="--model: ${panel.color}"${clip}>${faces.join("")}</g>`;
      });
      screen.figure.style.setProperty("--aspect", base()[2] / base()[3]);
      screen.svg.innerHTML = `${drawImage(data.src, 0, 0, data.width, data.height)}<g class="kp-closer"></g>${screen.definitions ?? ""}${overlays.join("")}<g class="kp-lit"></g>`;
      screen.mark = screen.svg.querySelector(".kp-lit");
      screen.svg.getBoundingClientRect(); // the browser puts off its part until someone asks
      const [first, ...more] = screen.indices;
      const faces = data.faces.filter((_, f) => isInside(f, base())).length;
      if (!more.length) times[panels[first].name] = (performance.now() - started) / faces;
    }
    if (Object.keys(times).length) document.dispatchEvent(new CustomEvent("kp-drawn", { detail: times }));
    showFrame();
    settle();
    highlight(state.highlight);
  }

  // Shows the part of the photo that the zoom is at.
  function showFrame() {
    const [x, y, width, height] = zoom.frame();
    for (const { svg, across } of state.screens) {
      svg.setAttribute("viewBox", [x - 0.5, y - 0.5, width, height].map(round2).join(" "));
      svg.style.setProperty("--unit", `${width / (across ?? UNITS_ACROSS)}px`);
    }
    grid.classList.toggle("kp-zoomed", zoom.scale > 1);
    tools.querySelector("[data-zoom=fit]").textContent = percent(zoom.scale);
    tools.querySelector("[data-zoom=out]").disabled = zoom.scale <= 1;
    tools.querySelector("[data-zoom=in]").disabled = zoom.atMaximum;
    slide.divide();
  }

  // What depends on how close the faces are: sharper pictures of them, and their numbers.
  function settle() {
    const { data, panels } = state;
    const frame = zoom.frame();
    const shares = data.faces.map((face, f) => isInside(f, frame) && (face.box[2] - face.box[0]) / frame[2]);
    const closer = data.faces
      .map((face, f) => (face.src && shares[f] > LEGIBLE ? drawImage(face.src, ...face.view) : ""))
      .join("");
    const numbered = input("numbers").checked;
    for (const { svg, indices } of state.screens) {
      svg.querySelector(".kp-closer").innerHTML = closer;
      for (const [side, overlay] of svg.querySelectorAll(".kp-overlay").entries()) {
        for (const layer of overlay.querySelectorAll(".kp-numbers")) {
          const f = layer.parentNode.dataset.face;
          layer.innerHTML = numbered && shares[f] > LEGIBLE ? drawNumbers(panels[indices[side]], f) : "";
        }
      }
    }
    const tooSmall = numbered && !shares.some((share) => share > LEGIBLE);
    hint.querySelector(".kp-usual").hidden = tooSmall;
    hint.querySelector(".kp-too-small").hidden = !tooSmall;
  }

  // Highlights the point that the pointer means, if any.
  function point(event, screen) {
    const matrix = screen.svg.getScreenCTM();
    if (!matrix) return;
    const at = toPhoto(screen.svg, event.clientX, event.clientY);
    const [left, right = left] = screen.indices;
    const panel = left !== right && at.x > slide.dividerAt() ? right : left;
    let best = null;
    let least = REACH / matrix.a;
    for (const [face, prediction] of state.panels[panel].faces.entries()) {
      for (const [k, candidate] of (prediction?.points ?? []).entries()) {
        if (!isKnown(candidate)) continue;
        const gap = Math.hypot(candidate[0] - at.x, candidate[1] - at.y);
        if (gap < least) {
          least = gap;
          best = { face, panel, point: k };
        }
      }
    }
    const last = state.highlight;
    const same = best && last && best.face === last.face && best.panel === last.panel && best.point === last.point;
    if (!same && (best || last)) highlight(best);
  }

  function start({ indices: [panel] }) {
    const choice = Number(view.value);
    const { faces } = state.panels[panel];
    const face = faces[choice] ? choice : faces.findIndex(Boolean);
    if (face >= 0) announce(highlight({ face, panel, point: 0 }));
  }

  function step(event, screen) {
    if (event.key === "Escape") highlight(null);
    if (zoom.handleKey(event)) return;
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const turn = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!move && !turn) return;
    event.preventDefault();
    const last = state.highlight;
    if (!last || !screen.indices.includes(last.panel)) {
      start(screen);
      return;
    }
    const { faces, names } = state.panels[last.panel];
    const next = { ...last };
    if (move) {
      do next.point = (next.point + move + names.length) % names.length;
      while (!isKnown(faces[next.face].points[next.point]) && next.point !== last.point);
    } else {
      do next.face = (next.face + turn + faces.length) % faces.length;
      while (!faces[next.face]);
    }
    announce(highlight(next));
    zoom.reveal(faces[next.face].points[next.point]);
  }

  function announce(words) {
    status.textContent = words;
  }

  // Highlights one point, and in the other panels the same place of the same face; none if null.
  // Returns what there is to announce.
  function highlight(target) {
    state.highlight = target;
    let words = "";
    for (const { mark, indices, captions } of state.screens) {
      const rings = indices.map((index, side) => {
        const panel = state.panels[index];
        if (!target) {
          captions[side].textContent = summary(panel);
          return "";
        }
        const { spot, place, name, facts } = describeHighlight(panel, index);
        if (spot) captions[side].replaceChildren(make("b", {}, name), facts.join(" · "));
        else captions[side].replaceChildren(make("em", {}, "no such landmark"));
        if (index === target.panel) words = [panel.title, name, ...facts].join(", ");
        return spot ? drawRing(state.data.faces[target.face].box, spot, place ?? "") : "";
      });
      mark.innerHTML = rings.join("");
    }
    if (!target) announce("");
    return words;
  }

  // Where a panel has the highlighted place, and what there is to say about it.
  function describeHighlight(panel, index) {
    const { panel: origin, point: k, face: f } = state.highlight;
    const place = state.panels[origin].single[k];
    const name = state.panels[origin].names[k];
    const face = panel.faces[f];
    const at = index === origin ? [k] : (panel.places[place] ?? []);
    const isThere = face && at.length && at.every((point) => isKnown(face.points[point]));
    const facts = [];
    if (isThere && face.confidence)
      facts.push(`confidence ${percent(mean(at.map((point) => face.confidence[point])))}`);
    const gap = at.length === 1 ? panel.gaps[f].get(at[0]) : null;
    if (isThere && gap) facts.push(formatDistance(gap.share, gap.pixels));
    return { spot: isThere ? middle(face.points, at) : null, place, name, facts };
  }

  function formatDistance(share, pixels) {
    if (!state.data.truth) return `${share.toFixed(1)} % from MediaPipe`;
    const distances = [`${pixels.toFixed(1)} px`, ...(share === null ? [] : [`${share.toFixed(1)} %`])];
    return `${distances.join(", ")} from the ground truth`;
  }

  // What a panel says while no point is highlighted: its distance on the visible faces.
  function summary(panel) {
    const choice = Number(view.value);
    const faces = panel.faces.map((_, f) => f).filter((f) => choice < 0 || f === choice);
    if (!faces.some((f) => panel.faces[f])) return `${panel.title} finds no face here`;
    const gaps = faces.map((f) => [...panel.gaps[f].values()]).filter((all) => all.length);
    if (gaps.length) {
      const over = (name) => {
        const values = gaps.map((all) => all.map((gap) => gap[name]));
        return values.flat().includes(null) ? null : mean(values.map(mean));
      };
      return `${formatDistance(over("share"), over("pixels"))} on average`;
    }
    return panel.baseline && !state.data.truth ? "the baseline" : "";
  }

  element.addEventListener("change", ({ target }) => {
    if (target.matches("select")) target.dataset.preference = target.value;
    if (layers.includes(target)) {
      showLayer(target);
      if (target.name === "numbers") settle();
    } else if (target === view) {
      zoom.reset();
      draw();
    } else if (["mode", "a", "b"].includes(target.name)) {
      arrange();
    }
  });
  element.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    const { zoom: direction, download: kind } = button?.dataset ?? {};
    if (direction) zoom.by({ in: 1.5, out: 1 / 1.5, fit: 0 }[direction]);
    if (kind) trigger("download", { kind, model: input("pts").value, face: Math.max(Number(view.value), 0) });
    if (button && "link" in button.dataset) settings.copy();
  });
  watch("value", load);
  for (const box of layers) showLayer(box);
  load();
  settings.restore();
}
