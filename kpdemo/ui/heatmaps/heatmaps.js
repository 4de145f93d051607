// One or more nets' maps over the same picture. A panel's places are pixels of the crop that its net
// saw; `frame` is where that crop lies on the picture: left, top, width and height in shares of it.

import { choose, isChosen, onChoose } from "../shared/choice.js";
import { decodeBase64, isKnown, make, round2, SVG } from "../shared/common.js";
import { capital, explain, factsOf, noPoints } from "./facts.js";
import { marksOf } from "./marks.js";
import { colorsOf, gradient, mergeMaps, paint, unpack } from "./painting.js";
import { groupIn, groupOf, onSelect, pointIn, pointsOf, scope, select } from "./selection.js";

const WHOLE = [0, 0, 1, 1];
const CLOSEST = 0.22; // side of the close-up at least, in shares of the picture's width

// Lays a part of the picture where it belongs.
function place({ style }, [left, top, width, height]) {
  const percent = (share) => `${round2(100 * share)}%`;
  Object.assign(style, { left: percent(left), top: percent(top), width: percent(width), height: percent(height) });
}

// The face, a map over it and marks over that.
function stackOf(panel) {
  const [width, height] = panel.grid;
  const [left, top, across, down] = panel.frame;
  const canvas = make("canvas", { width, height });
  const picture = make("img", { alt: "" });
  const svg = document.createElementNS(SVG, "svg");
  const [w, h] = [panel.width / across, panel.height / down]; // the picture in pixels of the crop
  svg.setAttribute("viewBox", [-0.5 - left * w, -0.5 - top * h, w, h].map(round2).join(" "));
  place(canvas, panel.frame);
  return { picture, canvas, svg, stack: make("div", { class: "kp-stack" }, picture, canvas, svg) };
}

export default function mount({ element, props, watch }) {
  const tools = element.querySelector(".kp-tools");
  const empty = element.querySelector(".kp-empty");
  const grid = element.querySelector(".kp-map-grid");
  const explanation = element.querySelector(".kp-read");
  const status = element.querySelector(".kp-spoken");
  const notes = element.querySelector(".kp-map-notes");
  const list = tools.querySelector("select");
  const scopes = [...tools.querySelectorAll("[type=radio]")];
  const chips = tools.querySelector(".kp-map-nets");
  const marks = tools.querySelector("[name=marks]");
  const seen = tools.querySelector("[name=seen]");
  const oneScale = tools.querySelector("[name=scale]");
  for (const radio of scopes) radio.name = `${element.id}-scope`; // the page has two such groups

  let data = null;
  let panels = []; // {figure, whole, close, facts, colors, ...of data.panels}, `cells` of each point
  let lead = null; // the panel whose points the list offers
  let scale = null; // 256 colours, three bytes each
  let listed = {}; // the names and the scope that the list is of
  let isOnScreen = false;
  let isStale = false; // something is to be drawn once it is on the screen
  const hidden = new Map(); // by model, what the visitor chose
  let loads = 0;

  async function load() {
    const request = ++loads;
    const next = props.value ? JSON.parse(props.value) : null;
    const sprites = await Promise.all((next?.panels ?? []).map(unpack));
    if (request !== loads) return;
    data = next;
    const any = Boolean(data?.panels.length);
    empty.hidden = any;
    empty.classList.toggle("kp-waiting", !data);
    tools.hidden = explanation.hidden = !any;
    showMessage();
    if (any) scale = decodeBase64(data.scale);
    grid.replaceChildren();
    panels = any ? data.panels.map((panel, k) => panelOf(panel, sprites[k])) : [];
    lead = panels[0];
    const several = panels.length > 1;
    chips.hidden = oneScale.parentElement.hidden = !several;
    chips.replaceChildren(...(several ? panels.map(chipOf) : []));
    if (any) update();
  }

  function showMessage() {
    const words = data?.says ?? ["Compare a photo first: its faces can then be looked at here, through each net."];
    const any = Boolean(data?.panels.length);
    empty.querySelector("p").replaceChildren(...(any ? [] : words));
    notes.replaceChildren(...(any ? words : []));
    notes.hidden = !any || !words.length;
  }

  const isHidden = ({ model, shown }) => (props.shared ? !isChosen(model) : (hidden.get(model) ?? !shown));
  const visible = () => (panels.length > 1 ? panels.filter((panel) => !isHidden(panel)) : panels);

  function switchNet(model, isOn) {
    if (props.shared) choose(model, isOn);
    else hidden.set(model, !isOn);
  }

  function chipOf(panel) {
    const box = make("input", { type: "checkbox", value: panel.model });
    return make("label", { style: `--model: ${panel.color}` }, box, make("i", { class: "kp-swatch" }), panel.title);
  }

  function panelOf(panel, cells) {
    const whole = stackOf(panel);
    whole.svg.setAttribute("tabindex", "0");
    whole.svg.setAttribute("role", "application");
    whole.svg.setAttribute("aria-roledescription", "face with a map over it");
    whole.svg.setAttribute("aria-label", `${panel.title}, the arrow keys go from point to point`);
    whole.svg.addEventListener("click", (event) => pick(event, panel, whole.svg));
    whole.svg.addEventListener("keydown", step);
    whole.stack.style.aspectRatio = data.size.join(" / ");
    const close = stackOf(panel);
    close.svg.setAttribute("aria-hidden", "true");
    const facts = make("div");
    const size = `${panel.width} × ${panel.height} px`;
    const figure = make(
      "figure",
      { class: "kp-map", style: `--model: ${panel.color}`, "data-kind": panel.kind, "data-model": panel.model },
      make(
        "figcaption",
        {},
        make("strong", {}, panel.title),
        make("span", { class: "kp-meta" }, `sees ${size}${panel.grey ? ", grey" : ""}`),
      ),
      whole.stack,
      make("div", { class: "kp-facts" }, facts, make("div", { class: "kp-closeup" }, close.stack)),
    );
    grid.append(figure);
    const [w, h] = panel.grid;
    // A cell as a number of squares of 1 % of the picture's width.
    const [width, height] = data.size;
    const squares = ((100 * panel.frame[2]) / w) * ((100 * panel.frame[3] * height) / width / h);
    const toScale = panel.kind === "shares" ? 1 / squares : 1;
    return { ...panel, cells, figure, whole, close, facts, toScale, colors: colorsOf(scale, panel.kind) };
  }

  // What the list offers: points by group, or groups.
  function listPoints() {
    const { names, groups } = lead;
    for (const radio of scopes) radio.checked = radio.value === scope();
    list.disabled = scope() === "all";
    if (listed.names === names && listed.scope === scope()) {
      if (scope() !== "all") list.value = scope() === "group" ? groupIn(lead) : pointIn(lead);
      return;
    }
    listed = { names, scope: scope() };
    if (scope() === "all") {
      list.replaceChildren(new Option(names.length === 1 ? "The one point" : `All ${names.length} points`, ""));
    } else if (scope() === "group") {
      list.replaceChildren(
        ...Object.entries(groups).map(([name, at]) => new Option(`${capital(name)} (${at.length})`, name)),
      );
      list.value = groupIn(lead);
    } else {
      list.replaceChildren(
        ...Object.entries(groups).map(([name, at]) =>
          make("optgroup", { label: capital(name) }, ...at.map((k) => new Option(capital(names[k]), k))),
        ),
      );
      list.value = pointIn(lead);
    }
  }

  // Where a place on a panel's crop lies on the picture, in shares of its width.
  function onPicture({ frame: [left, top, across, down], width, height }, [x, y]) {
    const aspect = data.size[1] / data.size[0];
    return [left + ((x + 0.5) / width) * across, aspect * (top + ((y + 0.5) / height) * down)];
  }

  // Moves all close-ups to the points that are looked at; returns their side in shares of the width.
  function lookCloser(views) {
    const aspect = data.size[1] / data.size[0];
    const places = views.flatMap(({ panel, at }) =>
      at
        .flatMap((k) => [panel.points[k], panel.peaks?.[k]])
        .filter(isKnown)
        .map((spot) => onPicture(panel, spot)),
    );
    if (!places.length) places.push([0.5, aspect / 2]);
    const [low, high] = [Math.min, Math.max].map((least) =>
      [0, 1].map((axis) => least(...places.map((spot) => spot[axis]))),
    );
    const side = Math.max(CLOSEST, 1.25 * Math.max(high[0] - low[0], high[1] - low[1]));
    const [left, top] = [0, 1].map((axis) => (low[axis] + high[axis] - side) / 2);
    for (const { panel } of views) {
      place(panel.close.stack, [-left / side, -top / side, 1 / side, aspect / side]);
    }
    return side;
  }

  // The ends of the shared scales by kind of map; none where every map has its own.
  function sharedTops(views) {
    const tops = {};
    if (!oneScale.checked || panels.length < 2) return tops;
    for (const { panel, map } of views) tops[panel.kind] = Math.max(tops[panel.kind] ?? 0, map.top);
    return tops;
  }

  // The picture as it is, or what the net sees of it.
  function showPicture(view, panel) {
    if (view.seen === seen.checked) return; // it would be decoded again
    view.seen = seen.checked;
    view.picture.src = view.seen ? panel.seen : data.face;
    place(view.picture, view.seen ? panel.frame : WHOLE);
  }

  function draw() {
    isStale = !isOnScreen;
    if (isStale) return;
    grid.classList.toggle("kp-seen", seen.checked);
    const here = visible();
    grid.dataset.count = here.length;
    for (const box of chips.querySelectorAll("input")) {
      box.checked = here.some(({ model }) => model === box.value);
    }
    for (const panel of panels) panel.figure.hidden = !here.includes(panel);
    const ownPeaks = !oneScale.checked || panels.length < 2;
    const views = here.map((panel) => {
      const at = pointsOf(panel, lead);
      return { panel, at, map: mergeMaps(panel, at, ownPeaks) };
    });
    const tops = sharedTops(views);
    const side = lookCloser(views);
    for (const { panel, at, map } of views) {
      const cells = paint(panel, map.map, tops[panel.kind] ?? map.top);
      const width = panel.width / panel.frame[2];
      for (const [view, size] of [
        [panel.whole, width],
        [panel.close, 1.5 * side * width],
      ]) {
        showPicture(view, panel);
        view.canvas.getContext("2d").putImageData(cells, 0, 0);
        view.svg.innerHTML = marks.checked ? marksOf(panel, at, map, size / 480) : "";
      }
      panel.facts.replaceChildren(
        ...(at.length ? factsOf(panel, at, map, tops[panel.kind] ?? null, gradient(scale)) : noPoints(panel)),
      );
    }
    explanation.textContent = here.length ? explain(here) : "No net with heatmaps is chosen: choose one above.";
  }

  function update() {
    if (!panels.length) return;
    listPoints();
    draw();
  }

  // The point of the list next to the pointer alone, or its group.
  function pick(event, panel, svg) {
    const spot = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let least = Infinity;
    let nearest = null;
    panel.points.forEach((at, k) => {
      const gap = isKnown(at) ? Math.hypot(at[0] - spot.x, at[1] - spot.y) : Infinity;
      if (gap < least && lead.names.includes(panel.names[k])) {
        least = gap;
        nearest = lead.names.indexOf(panel.names[k]);
      }
    });
    if (nearest !== null) go(nearest, groupOf(lead, nearest));
  }

  function step(event) {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const groups = Object.keys(lead.groups);
    if (scope() === "group") {
      const group = groups[(groups.indexOf(groupIn(lead)) + move + groups.length) % groups.length];
      go(lead.groups[group][0], group);
    } else {
      const count = lead.names.length;
      const k = scope() === "one" ? (pointIn(lead) + move + count) % count : pointIn(lead);
      go(k, groupOf(lead, k));
    }
  }

  // Shows what was picked in a picture, and says it.
  function go(k, group) {
    select({ scope: scope() === "all" ? "one" : scope(), name: lead.names[k], group });
    status.textContent = visible()
      .map((panel) => {
        const facts = [...panel.facts.querySelectorAll("b, p, dl div")].map((node) => node.textContent);
        return [panel.title, ...facts].join(", ");
      })
      .join(". ");
  }

  tools.addEventListener("change", ({ target }) => {
    if (target.type === "radio") {
      const k = pointIn(lead);
      select({ scope: target.value, name: lead.names[k], group: groupOf(lead, k) });
    } else if (target === list && scope() === "one") {
      select({ name: lead.names[list.value], group: groupOf(lead, Number(list.value)) });
    } else if (target === list) {
      select({ group: list.value, name: lead.names[lead.groups[list.value][0]] });
    } else {
      if (chips.contains(target)) switchNet(target.value, target.checked);
      draw();
    }
  });
  empty.querySelector("button").addEventListener("click", () => {
    const tabs = [...document.querySelectorAll("[role=tab]")];
    tabs.find((tab) => tab.textContent.trim() === "Compare")?.click();
  });
  const watcher = new IntersectionObserver(
    (entries) => {
      isOnScreen = entries.at(-1).isIntersecting;
      if (isStale && isOnScreen) draw();
    },
    { rootMargin: "300px" },
  );
  watcher.observe(element);
  onSelect(update);
  if (props.shared) onChoose(() => panels.length && draw());
  watch("value", load);
  load();
}
