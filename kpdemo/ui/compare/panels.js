// Runs once, when Gradio mounts the component: `element`, `props`, `trigger` and `watch` are its.
// zoom.js, slide.js and settings.js follow in the same function.
// Coordinates are the photo's; pixel centres are whole numbers, so the picture starts at -0.5.

const [tools, take] = element.querySelectorAll(".kp-tools");
const hint = element.querySelector(".kp-hint");
const empty = element.querySelector(".kp-empty");
const grid = element.querySelector(".kp-grid");
const spoken = element.querySelector(".kp-spoken");
const input = (name) => element.querySelector(`[name="${name}"]`);
const view = input("view");

const MESH = 100; // a markup of more points is drawn as dots
const REACH = 16; // pixels of the screen between the pointer and a point that it still means
const ACROSS = 420; // units across the picture, of which the smallest sizes are so many
const LEGIBLE = 0.2; // a face narrower than this share of the picture has no room for numbers

let data = null;
let panels = []; // data.panels, with what is often asked of them
let screens = []; // the pictures on the page: {svg, mark, shows: indices of panels, says}
let lit = null; // {face, panel, point}

const percent = (share) => `${Math.round(100 * share)} %`;
const middle = (points, at) => [0, 1].map((axis) => mean(at.map((k) => points[k][axis])));

function load() {
  const before = panels.length ? data.src : null;
  data = props.value ? JSON.parse(props.value) : null;
  const any = Boolean(data && data.panels.length);
  empty.hidden = any;
  empty.querySelector("strong").textContent = why();
  tools.hidden = take.hidden = hint.hidden = !any;
  panels = any ? data.panels.map(prepared) : [];
  const same = any && data.src === before;
  if (any && !same) {
    listViews();
    fit();
  }
  for (const label of element.querySelectorAll(".kp-if-truth")) label.hidden = !data?.truth;
  element.querySelector(".kp-reference").textContent = data?.truth ? "To the truth" : "To MediaPipe";
  listModels();
  arrange();
  // On a narrow screen the panels lie below the controls, out of sight.
  if (any && !same && innerWidth < 800) element.scrollIntoView({ behavior: "smooth", block: "start" });
}

// Why there are no panels.
function why() {
  if (!data) return "Nothing compared yet.";
  if (!data.faces.length) return "No face found on this photo.";
  return "The chosen models found no points: choose others.";
}

function prepared(panel) {
  const single = panel.names.map(() => null);
  for (const [place, at] of Object.entries(panel.places)) {
    if (at.length === 1) single[at[0]] = place;
  }
  const gaps = panel.faces.map((found) => new Map((found?.gaps ?? []).map(([k, share, pixels, line]) => [k, { share, pixels, line }])));
  return { ...panel, single, gaps };
}

function listViews() {
  const many = data.faces.length;
  const whole = ["Whole photo", "Both faces"][many - 1] ?? `All ${many} faces`;
  view.replaceChildren(
    new Option(whole, -1),
    ...data.faces.map((_, k) => new Option(many > 1 ? `Face ${k + 1}` : "Close-up", k)),
  );
  view.value = data.start ? 0 : -1;
}

// The selects that name models keep what was chosen, here or by a link, whenever it is there.
function listModels() {
  const fill = (select, from, otherwise) => {
    const { wanted } = select.dataset;
    select.replaceChildren(...from.map((panel) => new Option(panel.title, panel.name)));
    select.value = from.some((panel) => panel.name === wanted) ? wanted : otherwise?.name;
  };
  const files = panels.filter((panel) => panel.pts);
  fill(input("pts"), files, files.find((panel) => panel.name === "unet") ?? files[0]);
  element.querySelector(".kp-pts").hidden = !files.length;
  fill(pair.a, panels, panels.find((panel) => panel.name === "unet") ?? panels[0]);
  fill(pair.b, panels, panels.find((panel) => panel.baseline && panel.name !== pair.a.value) ?? panels.at(-1));
}

// Puts the pictures on the page, as many as the chosen arrangement has.
function arrange() {
  lit = null;
  const slide = tools.querySelector("[name=mode]:checked").value === "slide";
  grid.classList.toggle("kp-one", slide);
  const focused = document.activeElement;
  const at = screens.findIndex(({ svg }) => svg === focused);
  screens = []; // a picture that leaves the page loses the focus, and would darken the new ones
  const next = slide && panels.length ? [slideScreen()] : panels.map(screenOf);
  grid.replaceChildren(...next.map((screen) => screen.figure));
  screens = next;
  if (data) draw();
  (screens[at]?.svg ?? focused)?.focus({ preventScroll: true });
}

function screenOf(panel, index) {
  const says = make("p", { class: "kp-says" });
  const spent = panel.faces.filter(Boolean).map((found) => found.milliseconds);
  const meta = [count(panel.names.length, "point"), ...(spent.length ? [brief(mean(spent))] : [])].join(" · ");
  const screen = pictureOf([index], [says], `${panel.title}, the arrow keys go from point to point`);
  screen.figure = make(
    "figure",
    { class: "kp-panel", "data-model": panel.name, style: `--model: ${panel.color}` },
    make("figcaption", {}, make("strong", {}, panel.title), make("span", { class: "kp-meta" }, meta)),
    screen.svg,
    says,
  );
  return screen;
}

function pictureOf(shows, says, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("role", "application");
  svg.setAttribute("aria-roledescription", "photo with keypoints");
  svg.setAttribute("aria-label", label);
  const screen = { svg, shows, says };
  handle(screen);
  svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && light(null));
  svg.addEventListener("keydown", (event) => step(event, screen));
  svg.addEventListener("focus", () => {
    if (svg.matches(":focus-visible") && !lit) start(screen);
  });
  svg.addEventListener("blur", () => light(null));
  return screen;
}

// What is looked at without zoom: x, y, width, height in the photo.
function base() {
  return data.faces[Number(view.value)]?.view ?? [0, 0, data.width, data.height];
}

// Faces outside cost time where there are dozens.
function inside(f, [x, y, width, height]) {
  const [x0, y0, x1, y1] = data.faces[f].box;
  return x0 < x + width && x1 > x && y0 < y + height && y1 > y;
}

function draw() {
  const took = {};
  for (const screen of screens) {
    const started = performance.now();
    const layers = screen.shows.map((index, side) => {
      const panel = panels[index];
      const faces = panel.faces.map((found, f) => (inside(f, base()) ? faceOf(panel, found, f) : ""));
      const clip = screen.shows.length > 1 ? ` clip-path="url(#kp-clip-${side})"` : "";
      return `<g class="kp-overlay" style="--model: ${panel.color}"${clip}>${faces.join("")}</g>`;
    });
    screen.figure.style.setProperty("--aspect", base()[2] / base()[3]);
    screen.svg.innerHTML = `${imageOf(data.src, 0, 0, data.width, data.height)}<g class="kp-closer"></g>${screen.above ?? ""}${layers.join("")}<g class="kp-lit"></g>`;
    screen.mark = screen.svg.querySelector(".kp-lit");
    screen.svg.getBoundingClientRect(); // the browser puts off its part until someone asks
    const [first, ...more] = screen.shows;
    const faces = data.faces.filter((_, f) => inside(f, base())).length;
    if (!more.length) took[panels[first].name] = (performance.now() - started) / faces;
  }
  if (Object.keys(took).length) document.dispatchEvent(new CustomEvent("kp-drawn", { detail: took }));
  look();
  settle();
  light(lit);
}

const imageOf = (src, x, y, width, height) =>
  `<image href="${src}" x="${x - 0.5}" y="${y - 0.5}" width="${width}" height="${height}" preserveAspectRatio="none"/>`;

// One face's layers. Sizes are in the style sheet, by the face's width and the zoom. All points
// that are sure are one path of strokes without length: a node a point is slow with 24 meshes.
function faceOf(panel, found, f) {
  const { box: [x0, y0, x1, y1], score, truth } = data.faces[f];
  const width = x1 - x0;
  const open = (mesh) => `<g class="kp-face${mesh ? " kp-mesh" : ""}" data-face="${f}" style="--face: ${fixed(width)}px">`;
  const box = `<g class="kp-boxes"><rect x="${x0}" y="${y0}" width="${width}" height="${y1 - y0}"/><text x="${x0}" y="${y0 - 0.03 * width}">face ${f + 1}, ${percent(score)}</text></g>`;
  const marks = truth ? dots("kp-truth", truth.filter(known)) : "";
  if (!found) return `${open(false)}${box}${marks}</g>`;
  const { points, confidence } = found;
  const lines = panel.contours.flatMap((contour) => contour.map((k, i) => {
    if (!known(points[k])) return "";
    return `${i && known(points[contour[i - 1]]) ? "L" : "M"}${points[k].join(" ")}`;
  }));
  const sure = points.filter((at, k) => known(at) && !(confidence?.[k] < data.low));
  const unsure = points.filter((at, k) => known(at) && confidence?.[k] < data.low);
  const hollow = unsure.map(([x, y]) => `<circle cx="${x}" cy="${y}"/>`);
  const vectors = [...panel.gaps[f].values()].map(({ line }) => `M${line[0]} ${line[1]}L${line[2]} ${line[3]}`).join("");
  return `${open(points.length > MESH)}${box}<path class="kp-contours" d="${lines.join("")}"/><g class="kp-vectors"><path d="${vectors}"/><path d="${vectors}"/></g>${dots("kp-points", sure, hollow.join(""), points.filter(known).length)}${marks}<g class="kp-numbers"></g></g>`;
}

function dots(layer, points, more = "", count = points.length) {
  const path = points.map(([x, y]) => `M${x} ${y}h0`).join("");
  return `<g class="${layer}" data-count="${count}"><path class="kp-rim" d="${path}"/><path class="kp-dot" d="${path}"/>${more}</g>`;
}

// What depends on how close the faces are: sharper pictures of them, and their numbers.
function settle() {
  const seen = frame();
  const near = data.faces.map((face, f) => inside(f, seen) && (face.box[2] - face.box[0]) / seen[2]);
  const closer = data.faces.map((face, f) => (face.src && near[f] > LEGIBLE ? imageOf(face.src, ...face.view) : "")).join("");
  const numbered = input("numbers").checked;
  for (const { svg, shows } of screens) {
    svg.querySelector(".kp-closer").innerHTML = closer;
    for (const [side, overlay] of svg.querySelectorAll(".kp-overlay").entries()) {
      for (const layer of overlay.querySelectorAll(".kp-numbers")) {
        const f = layer.parentNode.dataset.face;
        layer.innerHTML = numbered && near[f] > LEGIBLE ? numbersOf(panels[shows[side]], f) : "";
      }
    }
  }
  const tooSmall = numbered && !near.some((share) => share > LEGIBLE);
  hint.querySelector(".kp-usual").hidden = tooSmall;
  hint.querySelector(".kp-too-small").hidden = !tooSmall;
}

// A mesh has too many points to number; those that stand for a named place are enough.
const numbersOf = (panel, f) => panel.faces[f].points.map((at, k) =>
  known(at) && (panel.names.length <= MESH || panel.single[k])
    ? `<text x="${at[0]}" y="${at[1]}" dx="0.35em" dy="-0.25em">${k}</text>`
    : "").join("");

const toPhoto = (svg, x, y) => new DOMPoint(x, y).matrixTransform(svg.getScreenCTM().inverse());

// Which point the pointer means, if any.
function point(event, screen) {
  const matrix = screen.svg.getScreenCTM();
  if (!matrix) return;
  const at = toPhoto(screen.svg, event.clientX, event.clientY);
  const index = screen.shows.length > 1 && at.x > dividerAt() ? screen.shows[1] : screen.shows[0];
  let best = null;
  let least = REACH / matrix.a;
  panels[index].faces.forEach((found, f) => found?.points.forEach((candidate, k) => {
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

function start({ shows }) {
  const chosen = Number(view.value);
  const { faces } = panels[shows[0]];
  const face = faces[chosen] ? chosen : faces.findIndex(Boolean);
  if (face >= 0) speak(light({ face, panel: shows[0], point: 0 }));
}

function step(event, screen) {
  if (event.key === "Escape") light(null);
  if (zoomKey(event)) return;
  const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const turn = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!move && !turn) return;
  event.preventDefault();
  if (!lit || !screen.shows.includes(lit.panel)) {
    start(screen);
    return;
  }
  const panel = panels[lit.panel];
  const next = { ...lit };
  if (move) {
    do next.point = (next.point + move + panel.names.length) % panel.names.length;
    while (!known(panel.faces[next.face].points[next.point]) && next.point !== lit.point);
  } else {
    do next.face = (next.face + turn + panel.faces.length) % panel.faces.length;
    while (!panel.faces[next.face]);
  }
  speak(light(next));
  reveal(panel.faces[next.face].points[next.point]);
}

const speak = (words) => { spoken.textContent = words; };

// Lights up one point, and in the other panels the same place of the same face.
function light(wanted) {
  lit = wanted;
  let words = "";
  for (const { mark, shows, says } of screens) {
    const rings = shows.map((index, side) => {
      const panel = panels[index];
      if (!lit) {
        says[side].textContent = usual(panel);
        return "";
      }
      const { spot, place, name, facts } = whereLit(panel, index);
      if (spot) says[side].replaceChildren(make("b", {}, name), facts.join(" · "));
      else says[side].replaceChildren(make("em", {}, `has no ${place ? name : "such point"}`));
      if (index === lit.panel) words = [panel.title, name, ...facts].join(", ");
      return spot ? ring(panel, spot, place ?? "") : "";
    });
    mark.innerHTML = rings.join("");
  }
  if (!lit) speak("");
  return words;
}

// Where a panel has the place that is lit, and what there is to say about it.
function whereLit(panel, index) {
  const place = panels[lit.panel].single[lit.point];
  const name = panels[lit.panel].names[lit.point];
  const face = panel.faces[lit.face];
  const at = index === lit.panel ? [lit.point] : panel.places[place] ?? [];
  const there = face && at.length && at.every((k) => known(face.points[k]));
  const facts = [];
  if (there && face.confidence) facts.push(`${percent(mean(at.map((k) => face.confidence[k])))} sure`);
  const gap = at.length === 1 ? panel.gaps[lit.face].get(at[0]) : null;
  if (there && gap) facts.push(distance(gap.share, gap.pixels));
  return { spot: there ? middle(face.points, at) : null, place, name, facts };
}

function distance(share, pixels) {
  if (!data.truth) return `${share.toFixed(1)} % from MediaPipe`;
  return `${[`${pixels.toFixed(1)} px`, ...(share === null ? [] : [`${share.toFixed(1)} %`])].join(", ")} from the truth`;
}

// What a panel says while no point is lit: its distance on the faces that are looked at.
function usual(panel) {
  const chosen = Number(view.value);
  const faces = panel.faces.map((_, f) => f).filter((f) => chosen < 0 || f === chosen);
  if (!faces.some((f) => panel.faces[f])) return "found no points on this face";
  const gaps = faces.map((f) => [...panel.gaps[f].values()]).filter((all) => all.length);
  if (gaps.length) {
    const over = (name) => {
      const values = gaps.map((all) => all.map((gap) => gap[name]));
      return values.flat().includes(null) ? null : mean(values.map(mean));
    };
    return `${distance(over("share"), over("pixels"))} on average`;
  }
  return panel.baseline && !data.truth ? "the baseline" : "";
}

function ring(panel, [x, y], place) {
  const [x0, , x1] = data.faces[lit.face].box;
  const circle = (kind) => `<circle class="${kind}" cx="${x}" cy="${y}"/>`;
  return `<g data-place="${place}" style="--face: ${fixed(x1 - x0)}px">${circle("kp-halo")}${circle("kp-ring")}</g>`;
}
