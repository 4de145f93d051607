// The products behind one cell of a map, with their numbers. The server adds them up; its answer comes
// by a component of its own, so that the layer is not sent again.

import { make, plural } from "../shared/common.js";
import { colorOf } from "./paint.js";

const listeners = new Set();
export const onSum = (listener) => listeners.add(listener);
export function publish(sum) {
  for (const listener of listeners) listener(sum);
}

export const exact = (value) => value.toFixed(Math.abs(value) < 100 ? 4 : 2).replace("-", "−");
const brief = (value) => (value === 0 ? "0" : value.toFixed(Math.abs(value) < 9.995 ? 2 : 1).replace("-", "−"));
const largest = (rows) => rows.flat().reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;

function matrix(title, rows) {
  const most = largest(rows);
  const cell = (value) => {
    const [red, green, blue] = colorOf(value / most).map(Math.round);
    const ink = 0.3 * red + 0.6 * green + 0.1 * blue < 120 ? "#ffffff" : "#141414";
    return make("td", { style: `background: rgb(${red} ${green} ${blue}); color: ${ink}` }, brief(value));
  };
  return make(
    "table",
    {},
    make("caption", {}, title),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell)))),
  );
}

const sumOf = (rows) => rows.flat().reduce((sum, value) => sum + value, 0);
const multiply = (a, b) => a.map((row, i) => row.map((value, j) => value * b[i][j]));

// One line for each step from the products to what the map shows.
function steps(sum) {
  const lines = [
    [`Sum of products, ${sum.readsPicture ? "" : "over "}${plural(sum.inputs, "input")}`, sum.convolution - sum.bias],
    ["Bias", sum.bias],
    ["Convolution", sum.convolution],
  ];
  if (sum.norm) {
    const sign = sum.shift < 0 ? "−" : "+";
    lines.push([`Batch norm: × ${exact(sum.scale)} ${sign} ${exact(Math.abs(sum.shift))}`, sum.result]);
  }
  lines.push(["The map shows", sum.value]);
  if (sum.activation) lines.push([`${sum.activation[0]} hands on`, sum.activation[1]]);
  return lines;
}

// What stands under the picture: the steps, and the strongest inputs with all their numbers.
export function sumView(sum) {
  const channels = sum.channels.map(({ input, inputs, weights }) => {
    const products = multiply(inputs, weights);
    return make(
      "div",
      { class: "kp-products" },
      make("h4", {}, `${input}: ${exact(sumOf(products))}`),
      make(
        "div",
        {},
        matrix("input", inputs),
        make("span", {}, "×"),
        matrix("weights", weights),
        make("span", {}, "="),
        matrix("products", products),
      ),
    );
  });
  return make(
    "section",
    { class: "kp-sum", "aria-label": "The sum" },
    make("h3", {}, `Row ${sum.row + 1}, column ${sum.column + 1}: how ${exact(sum.value)} comes about`),
    make(
      "dl",
      {},
      ...steps(sum).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, exact(value)))),
    ),
    ...channels,
    sum.others ? make("p", {}, `The other ${plural(sum.others, "input")} together: ${exact(sum.rest)}.`) : "",
    sum.readsPicture
      ? make("p", {}, "Inputs are the photo’s brightness as the net gets it: 0 is mid grey, and outside the crop.")
      : make("p", {}, "Inputs are cells of the maps of the layer before; outside of them they count as 0."),
  );
}
