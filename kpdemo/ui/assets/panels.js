// Runs once, when Gradio mounts the component: `element`, `props`, `trigger` and `watch` are its.
// Coordinates are the photo's; pixel centres are whole numbers, so the picture starts at -0.5.

const tools = element.querySelector(".kp-tools");
const hint = element.querySelector(".kp-hint");
const empty = element.querySelector(".kp-empty");
const grid = element.querySelector(".kp-grid");
const spoken = element.querySelector(".kp-spoken");
const view = tools.querySelector("select");

const MESH = 100; // a markup of more points is drawn as dots
const REACH = 16; // pixels of the screen between the pointer and a point that it still means
const SVG = "http://www.w3.org/2000/svg";

let data = null;
let panels = []; // {svg, says, ...of data.panels}
let lit = null; // {face, panel, point}

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, text] of Object.entries(attributes)) node.setAttribute(name, text);
  node.append(...children);
  return node;
};
const fixed = (number) => Math.round(number * 100) / 100;
const known = (point) => point && point[0] !== null && point[1] !== null;
const percent = (share) => `${Math.round(100 * share)} %`;

function load() {
  data = props.value ? JSON.parse(props.value) : null;
  lit = null;
  const any = Boolean(data && data.panels.length);
  empty.hidden = any;
  tools.hidden = hint.hidden = !any;
  grid.replaceChildren();
  panels = any ? data.panels.map(panelOf) : [];
  if (!any) return;
  listViews();
  draw();
  // On a narrow screen the panels lie below the controls, out of sight.
  if (innerWidth < 800) element.scrollIntoView({ behavior: "smooth", block: "start" });
}

function listViews() {
  const count = data.faces.length;
  const whole = ["Whole photo", "Both faces"][count - 1] ?? `All ${count} faces`;
  const options = [whole, ...data.faces.map((_, k) => (count > 1 ? `Face ${k + 1}` : "Close-up"))];
  view.replaceChildren(...options.map((text, k) => make("option", { value: k - 1 }, text)));
  view.value = data.start ? 0 : -1;
}

function panelOf(panel, index) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("role", "application");
  svg.setAttribute("aria-roledescription", "photo with keypoints");
  svg.setAttribute("aria-label", `${panel.title}, the arrow keys go from point to point`);
  const says = make("p", { class: "kp-says" });
  const meta = make("span", { class: "kp-meta" });
  const figure = make(
    "figure",
    { class: "kp-panel", "data-model": panel.name, style: `--model: ${panel.color}` },
    make("figcaption", {}, make("strong", {}, panel.title), meta),
    svg,
    says,
  );
  svg.addEventListener("pointermove", (event) => point(event, index));
  svg.addEventListener("pointerdown", (event) => point(event, index));
  svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && light(null));
  svg.addEventListener("keydown", (event) => step(event, index));
  svg.addEventListener("focus", () => {
    if (svg.matches(":focus-visible") && !lit) start(index);
  });
  svg.addEventListener("blur", () => light(null));
  grid.append(figure);
  const single = panel.names.map(() => null);
  for (const [place, at] of Object.entries(panel.places)) {
    if (at.length === 1) single[at[0]] = place;
  }
  return { ...panel, single, svg, says, meta };
}

// The part of the photo that is looked at: x, y, width, height.
function frame() {
  const face = data.faces[Number(view.value)];
  return face ? face.view : [0, 0, data.width, data.height];
}

// Faces outside cost time where there are dozens.
function inView(f) {
  const [x, y, width, height] = frame();
  const [x0, y0, x1, y1] = data.faces[f].box;
  return x0 < x + width && x1 > x && y0 < y + height && y1 > y;
}

// Sizes grow with the face, but never below what can be seen in this view.
function sizes(panel, f) {
  const [x0, , x1] = data.faces[f].box;
  const smallest = frame()[2] / 420;
  const mesh = panel.names.length > MESH;
  const radius = Math.max((mesh ? 0.007 : 0.016) * (x1 - x0), (mesh ? 0.45 : 1.2) * smallest);
  return { radius, line: Math.max(0.006 * (x1 - x0), 0.6 * smallest), text: Math.max(0.04 * (x1 - x0), 6 * smallest) };
}

function draw() {
  const [x, y, width, height] = frame();
  const close = data.faces[Number(view.value)];
  const pictures = [imageOf(data.src, 0, 0, data.width, data.height)];
  if (close?.src) pictures.push(imageOf(close.src, ...close.view));
  for (const panel of panels) {
    const layers = panel.faces.map((found, f) => (inView(f) ? faceOf(panel, found, f) : ""));
    panel.svg.setAttribute("viewBox", `${x - 0.5} ${y - 0.5} ${width} ${height}`);
    panel.svg.style.aspectRatio = `${width} / ${height}`;
    panel.svg.innerHTML = `${pictures.join("")}${layers.join("")}<g class="kp-lit"></g>`;
    const shown = panel.faces.filter(Boolean);
    const spent = shown.reduce((sum, found) => sum + found.milliseconds, 0) / shown.length;
    panel.meta.textContent = `${panel.names.length} ${panel.names.length === 1 ? "point" : "points"} · ${spent < 10 ? spent.toFixed(1) : Math.round(spent)} ms`;
  }
  light(lit);
}

const imageOf = (src, x, y, width, height) =>
  `<image href="${src}" x="${x - 0.5}" y="${y - 0.5}" width="${width}" height="${height}" preserveAspectRatio="none"/>`;

function faceOf(panel, found, f) {
  const [x0, y0, x1, y1] = data.faces[f].box;
  const { radius, line, text } = sizes(panel, f);
  const box = `<g class="kp-boxes" stroke-width="${fixed(line)}" font-size="${fixed(0.09 * (x1 - x0))}"><rect x="${x0}" y="${y0}" width="${x1 - x0}" height="${y1 - y0}"/><text x="${x0}" y="${y0 - 0.03 * (x1 - x0)}">face ${f + 1}, ${percent(data.faces[f].score)}</text></g>`;
  if (!found) return `<g class="kp-face">${box}</g>`;
  const { points, confidence } = found;
  const lines = panel.contours.map((contour) => {
    let pen = "M";
    const path = contour.map((k) => {
      if (!known(points[k])) {
        pen = "M";
        return "";
      }
      const at = pen + points[k].join(" ");
      pen = "L";
      return at;
    });
    return path.join("");
  });
  const sure = (k) => !confidence || !(confidence[k] < data.low);
  const dots = points.map((at, k) => known(at)
    ? `<circle cx="${at[0]}" cy="${at[1]}" r="${fixed(radius)}" data-k="${k}"${sure(k) ? "" : ' class="kp-unsure"'}/>`
    : "");
  // A mesh has too many points to number; those that stand for a named place are enough.
  const numbers = points.map((at, k) => known(at) && (points.length <= MESH || panel.single[k])
    ? `<text x="${fixed(at[0] + 1.2 * radius)}" y="${fixed(at[1] - 0.6 * radius)}">${k}</text>`
    : "");
  const mesh = points.length > MESH ? " kp-mesh" : "";
  return `<g class="kp-face${mesh}" stroke-width="${fixed(line)}" data-face="${f}">${box}<path class="kp-contours" d="${lines.join("")}"/><g class="kp-points" stroke-width="${fixed(0.3 * radius)}">${dots.join("")}</g><g class="kp-numbers" font-size="${fixed(text)}">${numbers.join("")}</g></g>`;
}

// Which point of a panel the pointer means, if any.
function point(event, index) {
  const { svg, faces } = panels[index];
  const matrix = svg.getScreenCTM();
  if (!matrix) return;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  let best = null;
  let least = REACH / matrix.a;
  faces.forEach((found, f) => found?.points.forEach((candidate, k) => {
    if (!known(candidate)) return;
    const gap = Math.hypot(candidate[0] - at.x, candidate[1] - at.y);
    if (gap < least) {
      least = gap;
      best = { face: f, panel: index, point: k };
    }
  }));
  const same = best && lit && best.face === lit.face && best.panel === lit.panel && best.point === lit.point;
  if (!same && (best || lit)) light(best);
}

function start(index) {
  const chosen = Number(view.value);
  const face = chosen >= 0 && panels[index].faces[chosen] ? chosen : panels[index].faces.findIndex(Boolean);
  if (face >= 0) speak(light({ face, panel: index, point: 0 }));
}

function step(event, index) {
  const panel = panels[index];
  const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const turn = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") light(null);
  if (!move && !turn) return;
  event.preventDefault();
  if (!lit || lit.panel !== index) {
    start(index);
    return;
  }
  const next = { ...lit };
  if (move) {
    do next.point = (next.point + move + panel.names.length) % panel.names.length;
    while (!known(panel.faces[next.face].points[next.point]) && next.point !== lit.point);
  } else {
    do next.face = (next.face + turn + panel.faces.length) % panel.faces.length;
    while (!panel.faces[next.face]);
  }
  speak(light(next));
}

const speak = (words) => { spoken.textContent = words; };

// Lights up one point, and in the other panels the same place of the same face.
function light(wanted) {
  lit = wanted;
  if (!lit) {
    for (const panel of panels) {
      panel.svg.querySelector(".kp-lit").replaceChildren();
      panel.says.textContent = usual(panel);
    }
    speak("");
    return "";
  }
  const place = panels[lit.panel].single[lit.point];
  const name = panels[lit.panel].names[lit.point];
  let words = "";
  panels.forEach((panel, index) => {
    const own = index === lit.panel;
    const found = panel.faces[lit.face];
    const at = own ? [lit.point] : panel.places[place] ?? [];
    const spot = found && at.length && at.every((k) => known(found.points[k])) ? middle(found.points, at) : null;
    const mark = panel.svg.querySelector(".kp-lit");
    mark.replaceChildren();
    if (!spot) {
      panel.says.replaceChildren(make("em", {}, `has no ${place ? name : "such point"}`));
      return;
    }
    mark.innerHTML = ring(panel, spot, place ?? "");
    const facts = [];
    if (found.confidence) facts.push(`${percent(mean(at.map((k) => found.confidence[k])))} sure`);
    const apart = at.length === 1 && found.apart ? found.apart[at[0]] : null;
    if (apart !== null) facts.push(`${apart.toFixed(1)} % from MediaPipe`);
    panel.says.replaceChildren(make("b", {}, name), facts.join(" · "));
    if (own) words = `${panel.title}, ${name}${facts.length ? `, ${facts.join(", ")}` : ""}`;
  });
  return words;
}

// What a panel says while no point is lit: its agreement on the faces that are looked at.
function usual(panel) {
  const chosen = panel.faces[Number(view.value)];
  const faces = Number(view.value) < 0 ? panel.faces : [chosen];
  const apart = faces.flatMap((found) => (found?.apart ?? []).filter((gap) => gap !== null));
  if (apart.length) return `${mean(apart).toFixed(1)} % from MediaPipe on average`;
  if (!faces.some(Boolean)) return "found no points on this face";
  return panel.baseline ? "the baseline" : "";
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const middle = (points, at) => [0, 1].map((axis) => mean(at.map((k) => points[k][axis])));

function ring(panel, [x, y], place) {
  const smallest = frame()[2] / 420;
  const [x0, , x1] = data.faces[lit.face].box;
  const radius = Math.max(0.035 * (x1 - x0), 5 * smallest);
  const circle = (kind, width) =>
    `<circle class="${kind}" cx="${x}" cy="${y}" r="${fixed(radius)}" stroke-width="${fixed(width)}"/>`;
  return `<g data-place="${place}">${circle("kp-halo", 0.9 * radius)}${circle("kp-ring", 0.4 * radius)}</g>`;
}

tools.addEventListener("change", (event) => {
  const { name, checked } = event.target;
  if (name === "view") draw();
  else grid.classList.toggle(`kp-no-${name}`, !checked);
});
tools.addEventListener("click", (event) => {
  const kind = event.target.dataset.download;
  if (kind) trigger("download", { kind });
});
for (const box of tools.querySelectorAll("input")) grid.classList.toggle(`kp-no-${box.name}`, !box.checked);
watch("value", load);
load();
