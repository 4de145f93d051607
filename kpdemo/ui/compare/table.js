// Builds the table from the component's value, and sorts it without the server.

import { make, sortBy } from "../shared/common.js";

export default function mount({ element, props, watch }) {
  const region = element.querySelector(".kp-scroll");
  const sorting = element.querySelector(".kp-sorting");
  const select = sorting.querySelector("select");
  const reverse = sorting.querySelector("button");

  let data = null;
  let sortKey = null; // a column's key; null is the order of the panels
  let ascending = true;

  function load() {
    data = props.value ? JSON.parse(props.value) : null;
    region.hidden = sorting.hidden = !data;
    for (const part of ["meaning", "costs", "timings", "weights"]) {
      element.querySelector(`.kp-${part}`).textContent = data?.[part] ?? "";
    }
    if (!data) return;
    if (!data.columns.some(({ key }) => key === sortKey)) sortKey = null;
    select.replaceChildren(
      new Option("the order above", ""),
      ...data.columns.map(({ key, alone }) => new Option(alone, key)),
    );
    region.querySelector("thead").replaceChildren(...headRows());
    fill();
  }

  // Columns that belong together have one head above their own.
  function headRows() {
    const above = make("tr");
    const below = make("tr");
    for (const { key, title, among } of data.columns) {
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

  function keyOf(row) {
    const [text, number] = row.cells[sortKey];
    return number ?? (["model", "trained"].includes(sortKey) ? text : null);
  }

  function fill() {
    const rows = sortKey ? sortBy(data.rows, keyOf, ascending) : data.rows;
    region.querySelector("tbody").replaceChildren(
      ...rows.map((row) => {
        return make(
          "tr",
          { "data-model": row.name },
          ...data.columns.map(({ key, alone }) => {
            const text = row.cells[key][0];
            if (key === "model") {
              return make(
                "th",
                { scope: "row" },
                make("i", { class: "kp-swatch", style: `background: ${row.color}` }),
                text,
              );
            }
            return make("td", { "data-key": key, "data-column": alone }, text);
          }),
        );
      }),
    );
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
  watch("value", load);
  load();
}
