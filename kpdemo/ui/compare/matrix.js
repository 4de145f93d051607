// A table of every model's distance to every other one.

import { make } from "../shared/common.js";
import { formatShare } from "./finding.js";

// `models` have a name, title and color; `share(row, column)` is a distance in percent or null.
export function fillMatrix(table, models, share) {
  const head = (scope, { title, color }) =>
    make("th", { scope }, make("i", { class: "kp-swatch", style: `background: ${color}` }), title);
  const shares = models.map((row) => models.map((column) => (row === column ? null : share(row, column))));
  const most = Math.max(...shares.flat());
  const cell = (value, isSelf) => {
    if (value === null) return make("td", {}, isSelf ? "" : "–");
    return make("td", { style: `--part: ${Math.round((60 * value) / most)}%` }, formatShare(value));
  };
  table.replaceChildren(
    make("caption", {}, "The row’s mean distance to the column, in percent of the column’s eye distance."),
    make("thead", {}, make("tr", {}, make("td"), ...models.map((model) => head("col", model)))),
    make(
      "tbody",
      {},
      ...models.map((model, i) =>
        make(
          "tr",
          { "data-model": model.name },
          head("row", model),
          ...shares[i].map((value, j) => cell(value, i === j)),
        ),
      ),
    ),
  );
}
