// Sorts every table.kp-sortable in the component, also those that come later, by the column whose
// heading is pressed. A cell's `data-value` is its sort key. Styles hide columns unless all are wanted.

import { sortBy } from "../shared/common.js";

function sort(button) {
  const head = button.closest("th");
  const table = head.closest("table");
  const heads = [...head.parentElement.children];
  const other = { ascending: "descending", descending: "ascending" };
  const direction = other[head.getAttribute("aria-sort")] ?? button.dataset.first ?? "ascending";
  for (const each of heads) each.setAttribute("aria-sort", each === head ? direction : "none");
  const column = heads.indexOf(head);
  const body = table.tBodies[0];
  const keyOf = (row) => {
    const { value = null } = row.children[column].dataset;
    return value === null || Number.isNaN(Number(value)) ? value : Number(value);
  };
  body.append(...sortBy(body.rows, keyOf, direction === "ascending"));
}

export default function mount({ element, watch }) {
  let all = false;
  element.addEventListener("change", ({ target }) => {
    if (target.name === "all-columns") all = target.checked;
  });
  // Another board brings a new table.
  watch("value", () => {
    const box = element.querySelector("[name=all-columns]");
    if (box) box.checked = all;
  });
  element.addEventListener("click", (event) => {
    const button = event.target.closest(".kp-sortable thead button");
    if (button) sort(button);
  });
}
