// The table of the models on the camera's frames: means over a short while, because a figure that
// changes with every frame cannot be read.

import { make, mean } from "../shared/common.js";

const [WINDOW, LEAST] = [2000, 4]; // milliseconds, and frames of a slow server
const UPDATE = 400; // milliseconds between two updates

const percent = (value) => (value === null ? "–" : `${value.toFixed(2)} %`);

export function createFigures(body) {
  let frames = []; // {time, models}
  let lastUpdate = 0;

  function reset(systems) {
    frames = [];
    lastUpdate = 0;
    body.replaceChildren(
      ...systems.map(({ name, title, color }) => {
        const swatch = make("i", { class: "kp-swatch" });
        swatch.style.background = color;
        const row = make("tr", {}, make("th", { scope: "row" }, swatch, title));
        row.append(...Array.from({ length: 5 }, () => make("td", {}, "–")));
        row.dataset.model = name;
        return row;
      }),
    );
  }

  // Frames a second over the last while, or null where it is not yet time to tell.
  function add(time, models, baseline) {
    frames.push({ time, models });
    while (frames.length > LEAST && time - frames[0].time > WINDOW) frames.shift();
    if (frames.length < 2 || time - lastUpdate < UPDATE) return null;
    lastUpdate = time;
    for (const row of body.rows) show(row, row.dataset.model === baseline);
    return (1000 * (frames.length - 1)) / (time - frames[0].time);
  }

  function show(row, isBaseline) {
    const figures = frames.map(({ models }) => models[row.dataset.model]).filter(Boolean);
    const average = (read) => {
      const values = figures.map(read).filter((value) => value !== null && value !== undefined);
      return values.length ? mean(values) : null;
    };
    const milliseconds = average((figure) => figure.milliseconds);
    const alone = average((figure) => figure.alone);
    const texts = [
      milliseconds === null ? "–" : milliseconds.toFixed(milliseconds < 10 ? 1 : 0),
      alone === null ? "–" : (1000 / alone).toFixed(0),
      percent(average((figure) => figure.jitter?.[0])),
      percent(average((figure) => figure.jitter?.[1])),
      isBaseline ? "–" : percent(average((figure) => figure.apart)),
    ];
    texts.forEach((text, at) => {
      row.cells[at + 1].textContent = text;
    });
  }

  return { reset, add };
}
