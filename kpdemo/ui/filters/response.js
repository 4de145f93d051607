// A kernel's map over the photo, at size, and the place on it that is chosen.

import { make } from "../shared/common.js";

const clamp = (value, most) => Math.max(0, Math.min(most, value));

// `veil` is the map as a canvas, `cell` the chosen row and column or null. A click or the arrow keys
// choose a cell, and `choose` is called with it.
export function responsePicture(answers, title, k, veil, cell, choose) {
  const [x0, y0, x1, y1] = answers.covered;
  const [rows, columns] = answers.cells;
  const [height, width] = answers.faceShape;
  const percent = (share) => `${100 * share}%`;
  // Where a net loses its border, the map is smaller than the crop.
  const lay = (node, left, top, across, down) =>
    Object.assign(node.style, {
      left: percent(x0 + left * (x1 - x0)),
      top: percent(y0 + top * (y1 - y0)),
      width: percent(across * (x1 - x0)),
      height: percent(down * (y1 - y0)),
    });
  const marker = make("i", { class: "kp-cell" });
  const mark = () => {
    marker.hidden = !cell;
    if (cell) lay(marker, cell[1] / columns, cell[0] / rows, 1 / columns, 1 / rows);
  };
  lay(veil, 0, 0, 1, 1);
  mark();
  const picture = make(
    "div",
    {
      class: "kp-veiled",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "map over the photo",
      "aria-label": `Kernel ${k + 1} on the photo: the arrow keys go from cell to cell and show the sum there`,
    },
    make("img", {
      src: answers.photo,
      alt: `The face as ${title} crops it, with the activation of kernel ${k + 1} over it`,
    }),
    veil,
    marker,
  );
  picture.style.aspectRatio = `${width} / ${height}`;
  const go = (row, column) => {
    cell = [clamp(row, rows - 1), clamp(column, columns - 1)];
    mark();
    choose(cell);
  };
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width - x0) / (x1 - x0);
    const y = ((event.clientY - box.top) / box.height - y0) / (y1 - y0);
    go(Math.floor(y * rows), Math.floor(x * columns));
  });
  picture.addEventListener("keydown", (event) => {
    const [down, across] =
      { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Enter: [0, 0] }[event.key] ?? [];
    if (down === undefined) return;
    event.preventDefault();
    const [row, column] = cell ?? [Math.floor(rows / 2), Math.floor(columns / 2)];
    // The first key only shows where one is.
    go(row + (cell ? down : 0), column + (cell ? across : 0));
  });
  return picture;
}
