// A model's points, corrected by hand. The value is that of the panels; all happens here, and the
// points leave the page where the visitor saves them or takes them as the ground truth.

import { isKnown, make, mean, offer, round2, saveFile } from "../shared/common.js";
import { PTS_MARKUP, toJson, toPts } from "./annotation_files.js";
import { DragPicture } from "./drag_picture.js";
import { Edit } from "./edit.js";
import { gapAt, keyOf, measure, prepareMarkups } from "./reference.js";

const STEP = 0.25; // pixels of the photo that an arrow key moves a point by
const FAR = 10; // times that with Shift
const TRUTH = "truth";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const withReading = (markup, points) => ({ markup, points, readings: { [markup]: points } });

export default function mount({ element, props, trigger, watch }) {
  const main = element.querySelector(".kp-drag");
  const empty = element.querySelector(".kp-drag-empty");
  const face = element.querySelector("[name=face]");
  const source = element.querySelector("[name=source]");
  const rows = element.querySelector("tbody");
  const pointLine = element.querySelector(".kp-drag-point");
  const status = element.querySelector(".kp-spoken");
  const button = (name) => element.querySelector(`[data-do="${name}"]`);

  let data = null;
  let markups = {};
  let edits = new Map(); // by face
  let selected = 0; // a point
  let drags = 0; // a number for each drag

  const picture = new DragPicture(element, {
    select,
    move: (place) => move(place, `drag ${drags}`),
    end: () => {
      edit()?.endStep();
      drags += 1;
    },
    cancel: () => {
      edit().cancelStep();
      refresh();
    },
  });

  const edit = () => edits.get(Number(face.value));
  const markup = () => markups[edit().state.markup];
  const isPoint = (k) => isKnown(edit().points[k]);

  function load() {
    const before = data;
    data = props.value ? JSON.parse(props.value) : null;
    const any = Boolean(data?.panels.some((panel) => panel.faces.some(Boolean)));
    empty.hidden = any;
    main.hidden = !any;
    const isSame = any && before && before.src === data.src && before.faces.length === data.faces.length;
    if (!isSame) edits = new Map();
    if (!any) return;
    markups = prepareMarkups({ ...before?.markups, ...data.markups });
    if (!isSame) {
      face.replaceChildren(...data.faces.map((_, f) => new Option(f + 1, f)));
      element.querySelector(".kp-drag-faces").hidden = data.faces.length < 2;
    }
    listSources();
    show();
  }

  // The points from which editing the chosen face can start: {name, title, markup, points}.
  function sources() {
    const f = Number(face.value);
    const models = data.panels
      .filter((panel) => panel.faces[f])
      .map(({ name, title, markup, faces: { [f]: answer } }) => {
        const ibug = answer.readings[PTS_MARKUP];
        return ibug
          ? { name, title: `${title}, as iBUG’s 68 points`, markup: PTS_MARKUP, points: ibug }
          : { name, title, markup, points: answer.points };
      });
    const truth = data.faces[f].truth;
    return truth ? [...models, { name: TRUTH, title: "Ground truth", markup: data.truth, points: truth }] : models;
  }

  function listSources() {
    const before = source.value;
    const all = sources();
    source.replaceChildren(...all.map(({ name, title }) => new Option(title, name)));
    const preferred = [before, "unet"].find((name) => all.some((each) => each.name === name));
    if (preferred) source.value = preferred;
    button("start").disabled = !all.length;
  }

  function start() {
    const { title, markup: name, points } = sources().find((each) => each.name === source.value);
    const state = { source: title, markup: name, start: points, points };
    if (edit()) edit().change(state);
    else edits.set(Number(face.value), new Edit(state));
    selected = points.findIndex(isKnown);
    show();
    picture.focus();
  }

  // Redraws everything, after another face, start or comparison.
  function show() {
    const isEditing = Boolean(edit());
    for (const part of element.querySelectorAll(".kp-if-editing")) part.hidden = !isEditing;
    button("start").textContent = isEditing ? "Start again" : "Start editing";
    if (!isEditing) return;
    const f = Number(face.value);
    rows.replaceChildren(
      ...data.panels.filter((panel) => panel.faces[f]).map(({ name, title, color }) => rowOf(name, title, color)),
    );
    picture.draw(data, f, edit().state);
    refresh();
  }

  const rowOf = (name, title, color) =>
    make(
      "tr",
      { "data-model": name },
      make("th", { scope: "row" }, make("i", { class: "kp-swatch", style: `background: ${color}` }), title),
      ...["share", "pixels", "point"].map((key) => make("td", { "data-key": key })),
    );

  // Updates what depends on the points: the picture, the errors, the buttons.
  function refresh() {
    const { state, canUndo, canRedo } = edit();
    if (!isKnown(state.points[selected])) selected = state.points.findIndex(isKnown);
    const f = Number(face.value);
    const reference = withReading(state.markup, state.points);
    const key = keyOf(state.markup, markup(), selected);
    const spots = [];
    for (const panel of data.panels) {
      const answer = panel.faces[f] && {
        ...withReading(panel.markup, panel.faces[f].points),
        readings: { ...panel.faces[f].readings, [panel.markup]: panel.faces[f].points },
      };
      if (!answer) continue;
      const measured = measure(answer, reference, markups);
      const gap = gapAt(answer, reference, key, measured, markups);
      if (gap) spots.push({ color: panel.color, at: gap.ours });
      const gaps = [...measured.gaps.values()];
      const over = (name) =>
        gaps.some((each) => each[name] === null) || !gaps.length ? null : mean(gaps.map((each) => each[name]));
      fill(panel.name, { share: over("share"), pixels: over("pixels"), point: gap?.pixels ?? null });
    }
    picture.show(state, selected, spots);
    pointLine.replaceChildren(make("b", {}, markup().names[selected]), ` ${position()}`);
    button("undo").disabled = !canUndo;
    button("redo").disabled = !canRedo;
    const hasPts = state.markup === PTS_MARKUP && state.points.every(isKnown);
    button("pts").disabled = !hasPts;
    element.querySelector(".kp-drag-no-pts").hidden = hasPts;
  }

  function fill(name, figures) {
    const row = rows.querySelector(`[data-model="${CSS.escape(name)}"]`);
    for (const [key, number] of Object.entries(figures)) {
      row.querySelector(`[data-key="${key}"]`).textContent = number === null ? "–" : number.toFixed(2);
    }
  }

  function position() {
    const { points, start } = edit().state;
    const [x, y] = points[selected];
    const moved = Math.hypot(x - start[selected][0], y - start[selected][1]);
    return `x ${x.toFixed(2)}, y ${y.toFixed(2)}, ${moved ? `moved by ${moved.toFixed(2)} px` : "not moved"}`;
  }

  function select(k) {
    selected = k;
    edit().endStep();
    refresh();
  }

  function move(place, step = null) {
    edit().move(selected, place.map(round2), step);
    refresh();
  }

  function announce() {
    status.textContent = `${markup().names[selected]}, ${position()}`;
  }

  // The next point in a direction that is known, from `k` on.
  function neighbor(k, by) {
    const count = edit().points.length;
    let next = k;
    do next = (next + by + count) % count;
    while (!isPoint(next) && next !== k);
    return next;
  }

  function travel(way) {
    edit()[way]();
    picture.draw(data, Number(face.value), edit().state); // another start may have other points
    refresh();
    announce();
  }

  function handleKey(event) {
    const letter = event.key.toLowerCase();
    const count = edit().points.length;
    if ((event.ctrlKey || event.metaKey) && (letter === "z" || letter === "y")) {
      travel(letter === "y" || event.shiftKey ? "redo" : "undo");
    } else if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    } else if (ARROWS[event.key]) {
      const far = STEP * (event.shiftKey ? FAR : 1);
      const [dx, dy] = ARROWS[event.key];
      const [x, y] = edit().points[selected];
      move([x + far * dx, y + far * dy], `keys ${selected}`);
    } else if (event.key === "Escape") {
      if (!picture.cancelDrag()) move(edit().state.start[selected]);
    } else if (letter === "n" || letter === "p") {
      select(neighbor(selected, letter === "n" ? 1 : -1));
    } else if (event.key === "Home" || event.key === "End") {
      select(event.key === "Home" ? neighbor(count - 1, 1) : neighbor(0, -1));
    } else {
      picture.zoom.handleKey(event);
      return;
    }
    event.preventDefault();
    picture.zoom.reveal(edit().points[selected]);
    announce();
  }

  const json = (faces) =>
    toJson(
      data,
      faces.map(([f, { state }]) => ({ box: data.faces[f].box, ...state })),
    );

  const actions = {
    start,
    undo: () => travel("undo"),
    redo: () => travel("redo"),
    pts: () => {
      const number = data.faces.length > 1 ? `-face-${Number(face.value) + 1}` : "";
      saveFile(`edited-points${number}.pts`, new Blob([toPts(edit().points)], { type: "text/plain" }));
    },
    json: () => saveFile("edited-points.json", new Blob([json([...edits])], { type: "application/json" })),
    truth: () => {
      const wanted = { name: "edited-points.json", text: json([...edits]) };
      if (offer("kp-truth", wanted)) trigger("truth", wanted);
    },
  };

  element.addEventListener("click", ({ target }) => actions[target.closest("[data-do]")?.dataset.do]?.());
  face.addEventListener("change", () => {
    selected = 0;
    listSources();
    show();
  });
  picture.svg.addEventListener("keydown", handleKey);
  watch("value", load);
  load();
}
