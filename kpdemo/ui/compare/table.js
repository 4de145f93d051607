// Builds the table from the comparison that the panels show, and sorts it. The component's value has what they
// do not: facts on the models, where their weights are from, and a warning about the ground truth.

import { make, sortBy } from "../shared/common.js";
import { shownComparison } from "./panels.js";
import { cellsOf, columnsOf, meaningOf, timingsOf } from "./table_cells.js";

const NO_FACTS = { models: {}, warning: "", weights: "" };

export default function mount({ element, props, watch }) {
  const region = element.querySelector(".kp-scroll");
  const sorting = element.querySelector(".kp-sorting");
  const select = sorting.querySelector("select");
  const reverse = sorting.querySelector("button");
  const notes = element.querySelector(".kp-notes");

  let comparison = shownComparison;
  let facts = NO_FACTS;
  let columns = [];
  let sortKey = null; // a column's key; null is the order of the panels
  let ascending = true;

  function show() {
    const isEmpty = !comparison?.panels.length;
    for (const part of [region, sorting, notes]) part.hidden = isEmpty;
    if (isEmpty) {
      region.querySelector("tbody").replaceChildren();
      return;
    }
    columns = columnsOf(comparison);
    if (!columns.some(({ key }) => key === sortKey)) sortKey = null;
    select.replaceChildren(
      new Option("the order above", ""),
      ...columns.map(({ key, alone }) => new Option(alone, key)),
    );
    region.querySelector("thead").replaceChildren(...headRows());
    const texts = {
      meaning: [facts.warning, meaningOf(comparison)].join(" ").trim(),
      timings: timingsOf(comparison),
      weights: facts.weights,
    };
    for (const [part, text] of Object.entries(texts)) notes.querySelector(`.kp-${part}`).textContent = text;
    fill();
  }

  // Columns that belong together share a heading above their own.
  function headRows() {
    const above = make("tr");
    const below = make("tr");
    for (const { key, title, among } of columns) {
      const button = make(
        "button",
        { type: "button", "data-sort": key },
        title,
        make("span", { "aria-hidden": "true" }),
      );
      const head = make("th", { scope: "col", "data-key": key }, button);
      if (!among) {
        head.rowSpan = 2;
        above.append(head);
        continue;
      }
      if (above.lastChild?.dataset.among !== among) {
        above.append(make("th", { scope: "colgroup", "data-among": among }, among));
      }
      above.lastChild.colSpan = below.querySelectorAll(`[data-in="${CSS.escape(among)}"]`).length + 1;
      head.dataset.in = among;
      below.append(head);
    }
    return [above, below];
  }

  function keyOf({ cells }) {
    const [text, number] = cells[sortKey];
    return number ?? (["model", "trained"].includes(sortKey) ? text : null);
  }

  function rowOf({ panel, cells }) {
    const cellOf = ({ key, alone }) => {
      const [text] = cells[key];
      if (key !== "model") return make("td", { "data-key": key, "data-column": alone }, text);
      const swatch = make("i", { class: "kp-swatch", style: `background: ${panel.color}` });
      return make("th", { scope: "row" }, swatch, text);
    };
    return make("tr", { "data-model": panel.name }, ...columns.map(cellOf));
  }

  function fill() {
    const all = comparison.panels.map((panel) => ({ panel, cells: cellsOf(comparison, panel, facts.models) }));
    const rows = sortKey ? sortBy(all, keyOf, ascending) : all;
    region.querySelector("tbody").replaceChildren(...rows.map(rowOf));
    for (const head of region.querySelectorAll("th[data-key]")) {
      const isSortKey = head.dataset.key === sortKey;
      if (isSortKey) head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
      head.querySelector("span").textContent = isSortKey ? (ascending ? " ▲" : " ▼") : "";
    }
    select.value = sortKey ?? "";
    reverse.disabled = !sortKey;
    reverse.textContent = ascending ? "▲ smallest first" : "▼ largest first";
  }

  element.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const key = button.dataset.sort ?? sortKey;
    ascending = key === sortKey ? !ascending : true;
    sortKey = key;
    fill();
  });
  select.addEventListener("change", () => {
    sortKey = select.value || null;
    fill();
  });
  document.addEventListener("kp-comparison", ({ detail }) => {
    comparison = detail;
    show();
  });
  function load() {
    facts = props.value ? JSON.parse(props.value) : NO_FACTS;
    show();
  }
  watch("value", load);
  load();
}
