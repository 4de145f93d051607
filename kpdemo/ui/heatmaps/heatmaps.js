// Places are pixels of the crop that the net saw; pixel centres are whole numbers, so the crop
// starts at -0.5. Maps are a row of cells for each point, 0 to 255 of the point's own peak.

import { decodeBase64, isKnown, make, mean, round2, SVG } from "../shared/common.js";

const FIRST_POINT = "nose tip";

const EXPLANATIONS = {
  shares: ({ calibrated }) =>
    `The brighter a cell, the more of the net’s expectation lies in it; a map sums to one, and is the mean of those on the face and on its mirror image. The cross is the highest cell, the ellipse one standard deviation around the map’s mean, the dot the prediction: that mean${calibrated ? ", moved a little by a calibration that was fitted on training faces" : ""}.`,
  heights: () =>
    "The brighter a cell, the higher the map there; the net was trained on a Gaussian of height 1 around the point. The cross is its highest cell, the ellipse one standard deviation around its mean, the dot the prediction: that cell, moved a quarter of a cell towards its higher neighbour.",
  moves: () =>
    "A plain grey square, as large as the dashed one, occluded every place of the picture in turn: the brighter a place, the farther the point moved, so the prediction depends on bright places. The cross is the brightest, the dot the prediction with nothing occluded. Moves are the net’s own, without the flip test that its other predictions have.",
};
const capital = (text) => text[0].toUpperCase() + text.slice(1);

// The maps out of the one picture that they came in: `cells[k]` are those of point k.
async function unpack(panel) {
  const picture = new Image();
  picture.src = panel.sprite;
  await picture.decode();
  const { width, height } = picture;
  const canvas = make("canvas", { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const [w, h] = panel.grid;
  return panel.names.map((_, k) => {
    const left = (k % panel.columns) * w;
    const top = Math.floor(k / panel.columns) * h;
    return Uint8Array.from(
      { length: w * h },
      (_, at) => rgba[4 * ((top + Math.floor(at / w)) * width + left + (at % w))],
    );
  });
}

// The face, a map over it and marks over that, all of the same size.
function stackOf(panel) {
  const [width, height] = panel.grid;
  const canvas = make("canvas", { width, height });
  const picture = make("img", { alt: "" });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `-0.5 -0.5 ${panel.width} ${panel.height}`);
  return { picture, canvas, svg, stack: make("div", { class: "kp-stack" }, picture, canvas, svg) };
}

// Moves the close-up to the points that are looked at; returns its side in pixels of the crop.
function lookCloser(panel, at) {
  const places = at.flatMap((k) => [panel.points[k], panel.peaks?.[k]]).filter(isKnown);
  if (!places.length) places.push([panel.width / 2, panel.height / 2]);
  const [low, high] = [Math.min, Math.max].map((least) =>
    [0, 1].map((axis) => least(...places.map((place) => place[axis]))),
  );
  const side = Math.max(0.22 * panel.width, 1.25 * Math.max(high[0] - low[0], high[1] - low[1]));
  const [left, top] = [0, 1].map((axis) => (low[axis] + high[axis] - side) / 2 + 0.5);
  const share = (length) => `${round2((100 * length) / side)}%`;
  Object.assign(panel.close.stack.style, {
    width: share(panel.width),
    height: share(panel.height),
    left: share(-left),
    top: share(-top),
  });
  return side;
}

// One map from those of some points, 0 to 1: of heatmaps the highest, each by its own peak; of
// moves the mean.
function mergeMaps(panel, at) {
  const map = new Float32Array(panel.cells[0].length);
  for (const k of at) {
    const cells = panel.cells[k];
    for (let i = 0; i < map.length; i++) {
      if (panel.kind === "moves") map[i] += ((cells[i] / 255) * panel.top[k]) / at.length;
      else map[i] = Math.max(map[i], cells[i] / 255);
    }
  }
  const top = map.reduce((most, value) => Math.max(most, value), 0);
  return { map, top };
}

// That map in colours.
function paint(panel, { map, top }) {
  const { width, height } = panel.whole.canvas;
  const pixels = new ImageData(width, height);
  const colors = new Uint32Array(pixels.data.buffer);
  map.forEach((value, i) => {
    colors[i] = panel.colors[top > 0 ? Math.round((255 * value) / top) : 0];
  });
  return pixels;
}

// `px` is about a pixel of the screen.
function marksOf(panel, at, { map, top }, px) {
  const small = at.length > 1;
  const dot = (small ? 2.6 : 5) * px;
  const parts = [];
  const twice = (shape) => parts.push(shape("kp-under"), shape("kp-over"));
  const cross = (kind, [x, y], arm) =>
    `<path class="${kind}" d="M${round2(x - arm)} ${round2(y)}h${round2(2 * arm)}M${round2(x)} ${round2(y - arm)}v${round2(2 * arm)}"/>`;
  for (const k of at) {
    const ellipse = panel.ellipses?.[k];
    if (!isKnown(ellipse)) continue;
    const [x, y, long, short, angle] = ellipse.map(round2);
    twice(
      (kind) =>
        `<ellipse class="${kind}" cx="${x}" cy="${y}" rx="${long}" ry="${short}" transform="rotate(${angle} ${x} ${y})"/>`,
    );
  }
  for (const k of at) {
    if (isKnown(panel.points[k])) {
      const [x, y] = panel.points[k].map(round2);
      parts.push(`<circle class="kp-answer" data-k="${k}" cx="${x}" cy="${y}" r="${round2(dot)}"/>`);
    }
    if (!isKnown(panel.peaks?.[k])) continue;
    if (small) parts.push(cross("kp-fine", panel.peaks[k], 4 * px));
    else twice((kind) => cross(kind, panel.peaks[k], 9 * px));
  }
  if (panel.kind === "moves" && top > 0) {
    const [w, h] = panel.grid;
    const place = map.indexOf(top);
    const x = ((place % w) + 0.5) * (panel.width / w) - 0.5;
    const y = (Math.floor(place / w) + 0.5) * (panel.height / h) - 0.5;
    twice(
      (kind) =>
        `<rect class="${kind} kp-dashed" x="${round2(x - panel.patch / 2)}" y="${round2(y - panel.patch / 2)}" width="${round2(panel.patch)}" height="${round2(panel.patch)}"/>`,
    );
    twice((kind) => cross(kind, [x, y], 9 * px));
  }
  return parts.join("");
}
const percent = (value) => (value === null ? "none" : `${value < 9.95 ? value.toFixed(1) : Math.round(value)} %`);

export default function mount({ element, props, watch }) {
  const tools = element.querySelector(".kp-tools");
  const empty = element.querySelector(".kp-empty");
  const grid = element.querySelector(".kp-map-grid");
  const explanation = element.querySelector(".kp-read");
  const status = element.querySelector(".kp-spoken");
  const select = tools.querySelector("select");
  const scopes = [...tools.querySelectorAll("[type=radio]")];
  const marks = tools.querySelector("[name=marks]");
  const seen = tools.querySelector("[name=seen]");
  for (const radio of scopes) radio.name = `${element.id}-scope`; // the page has two such groups

  let data = null;
  let panels = []; // {whole, close, facts, colors, ...of data.panels}, `cells` of each point
  let scale = null; // 256 colours, three bytes each
  let scope = "one";
  let point = 0;
  let group = "";
  let preference = { name: FIRST_POINT, group }; // what the visitor chose, also while a markup lacks it
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
    grid.dataset.count = any ? data.panels.length : 0;
    panels = any ? data.panels.map((panel, k) => panelOf(panel, sprites[k])) : [];
    if (!any) return;
    applyPreference();
    list();
    draw();
  }

  function showMessage() {
    const message = empty.querySelector("p");
    const words = data?.says ?? ["Compare a photo first: its faces can then be looked at here, through each net."];
    message.replaceChildren(...words);
  }

  // The point and the group that the visitor chose, also where another markup counts them otherwise.
  function applyPreference() {
    const { names, groups } = data.panels[0];
    const at = names.indexOf(preference.name);
    point = at >= 0 ? at : Math.max(0, names.indexOf(FIRST_POINT));
    group = preference.group in groups ? preference.group : groupOf(point);
  }

  const groupOf = (k) => {
    const { groups } = data.panels[0];
    return Object.keys(groups).find((name) => groups[name].includes(k));
  };

  function remember() {
    preference = { name: data.panels[0].names[point], group };
  }

  function panelOf(panel, cells) {
    const whole = stackOf(panel);
    whole.svg.setAttribute("tabindex", "0");
    whole.svg.setAttribute("role", "application");
    whole.svg.setAttribute("aria-roledescription", "face with a map over it");
    whole.svg.setAttribute("aria-label", `${panel.title}, the arrow keys go from point to point`);
    whole.svg.addEventListener("click", (event) => pick(event, panel, whole.svg));
    whole.svg.addEventListener("keydown", step);
    whole.stack.style.aspectRatio = `${panel.width} / ${panel.height}`;
    const close = stackOf(panel);
    close.svg.setAttribute("aria-hidden", "true");
    const facts = make("div");
    const size = `${panel.width} × ${panel.height} px`;
    grid.append(
      make(
        "figure",
        { class: "kp-map", style: `--model: ${panel.color}`, "data-kind": panel.kind },
        make(
          "figcaption",
          {},
          make("strong", {}, panel.title),
          make("span", { class: "kp-meta" }, `sees ${size}${panel.grey ? ", grey" : ""}`),
        ),
        whole.stack,
        make("div", { class: "kp-facts" }, facts, make("div", { class: "kp-closeup" }, close.stack)),
      ),
    );
    return { ...panel, cells, whole, close, facts, colors: colorsOf(panel.kind) };
  }

  // What the list offers: points by group, or groups.
  function list() {
    const { names, groups } = data.panels[0];
    for (const radio of scopes) radio.checked = radio.value === scope;
    select.disabled = scope === "all";
    if (scope === "all") {
      select.replaceChildren(new Option(names.length === 1 ? "The one point" : `All ${names.length} points`, ""));
    } else if (scope === "group") {
      select.replaceChildren(
        ...Object.entries(groups).map(([name, at]) => new Option(`${capital(name)} (${at.length})`, name)),
      );
      select.value = group;
    } else {
      select.replaceChildren(
        ...Object.entries(groups).map(([name, at]) =>
          make("optgroup", { label: capital(name) }, ...at.map((k) => new Option(capital(names[k]), k))),
        ),
      );
      select.value = point;
    }
  }

  // The points that are looked at.
  function selection() {
    const { names, groups } = data.panels[0];
    if (scope === "one") return [point];
    return scope === "group" ? groups[group] : names.map((_, k) => k);
  }

  function draw() {
    const at = selection();
    grid.classList.toggle("kp-seen", seen.checked);
    for (const panel of panels) {
      const map = mergeMaps(panel, at);
      const picture = paint(panel, map);
      const side = lookCloser(panel, at);
      for (const [view, width] of [
        [panel.whole, panel.width],
        [panel.close, 1.5 * side],
      ]) {
        view.picture.src = seen.checked ? panel.seen : panel.face;
        view.canvas.getContext("2d").putImageData(picture, 0, 0);
        view.svg.innerHTML = marks.checked ? marksOf(panel, at, map, width / 480) : "";
      }
      panel.facts.replaceChildren(...factsOf(panel, at, map));
    }
    explanation.textContent = EXPLANATIONS[panels[0].kind](panels[0]);
  }

  // The scale as 256 whole pixels. A heatmap is nothing nearly everywhere, and must not hide the face
  // there; a map of moves covers all of it, and the face has to shine through.
  function colorsOf(kind) {
    const pixels = new Uint8ClampedArray(4 * 256);
    for (let k = 0; k < 256; k++) {
      const share = k / 255;
      const opacity = kind === "moves" ? 0.25 + 0.5 * share : Math.min(0.85, 2.5 * share);
      pixels.set([...scale.subarray(3 * k, 3 * k + 3), 255 * opacity], 4 * k);
    }
    return new Uint32Array(pixels.buffer);
  }

  function factsOf(panel, at, { top: highest }) {
    const over = (values) => mean(at.map((k) => values[k] ?? 0));
    const rows = [];
    let top;
    if (panel.kind === "moves") {
      top = percent(highest);
      rows.push(["Moves at most", `${top} ${panel.unit}`]);
      rows.push(["Moves on average", `${percent(over(panel.mean))} ${panel.unit}`]);
    } else {
      const shares = panel.kind === "shares";
      top = shares ? percent(over(panel.top)) : over(panel.top).toFixed(2);
      rows.push(["Highest cell", shares ? `${top} of the map` : `${top} (target: 1)`]);
      const [long, short] = [0, 1].map((axis) => percent(over(panel.spread.map((radii) => radii[axis]))));
      rows.push(["Spread (1 σ)", `${long} along, ${short} across, ${panel.unit}`]);
      rows.push(["Cross to dot", `${percent(over(panel.gap))} ${panel.unit}`]);
    }
    rows.push(["Confidence", `${Math.round(100 * over(panel.confidence))} %`]);
    const title = at.length === 1 ? capital(panel.names[at[0]]) : `Mean over ${at.length} points`;
    const list = rows.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text)));
    const ends = panel.kind !== "moves" && at.length > 1 ? "each its peak" : top;
    return [
      make("b", {}, title),
      make("dl", {}, ...list),
      make("div", {
        class: "kp-scale",
        "aria-hidden": "true",
        style: `background: linear-gradient(90deg, ${gradient()})`,
      }),
      make("div", { class: "kp-ends" }, make("span", {}, "0"), make("span", {}, ends)),
    ];
  }

  function gradient() {
    return Array.from({ length: 9 }, (_, k) => {
      const from = 3 * Math.min(255, 32 * k);
      return `rgb(${scale[from]} ${scale[from + 1]} ${scale[from + 2]})`;
    }).join(", ");
  }

  // The point next to the pointer alone, or its group.
  function pick(event, panel, svg) {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let least = Infinity;
    panel.points.forEach((at, k) => {
      const gap = isKnown(at) ? Math.hypot(at[0] - place.x, at[1] - place.y) : Infinity;
      if (gap < least) {
        least = gap;
        point = k;
      }
    });
    go();
  }

  function step(event) {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const count = data.panels[0].names.length;
    if (scope === "group") {
      const groups = Object.keys(data.panels[0].groups);
      group = groups[(groups.indexOf(group) + move + groups.length) % groups.length];
      [point] = data.panels[0].groups[group];
    } else if (scope === "one") {
      point = (point + move + count) % count;
    }
    go();
  }

  // Shows what was picked in a picture, and says it.
  function go() {
    if (scope === "all") scope = "one";
    group = groupOf(point) ?? group;
    remember();
    list();
    draw();
    status.textContent = panels
      .map((panel) => {
        const facts = [...panel.facts.querySelectorAll("b, dl div")].map((node) => node.textContent);
        return [panel.title, ...facts].join(", ");
      })
      .join(". ");
  }

  tools.addEventListener("change", ({ target }) => {
    if (target.type === "radio") {
      scope = target.value;
      group = groupOf(point) ?? group;
      list();
    } else if (target === select && scope === "one") {
      point = Number(select.value);
    } else if (target === select) {
      group = select.value;
      [point] = data.panels[0].groups[group];
    }
    remember();
    draw();
  });
  empty.querySelector("button").addEventListener("click", () => {
    const tabs = [...document.querySelectorAll("[role=tab]")];
    tabs.find((tab) => tab.textContent.trim() === "Compare")?.click();
  });
  watch("value", load);
  load();
}
