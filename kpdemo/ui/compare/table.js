// Builds the table from the component's value, and sorts it without asking the server.

const region = element.querySelector(".kp-scroll");
const sorting = element.querySelector(".kp-sorting");
const select = sorting.querySelector("select");
const turn = sorting.querySelector("button");
const drawn = {}; // milliseconds by model, as the panels measured them

let data = null;
let by = null; // a column's key; null is the order of the panels
let up = true;

function load() {
  data = props.value ? JSON.parse(props.value) : null;
  region.hidden = sorting.hidden = !data;
  for (const part of ["meaning", "costs", "timings", "weights"]) {
    element.querySelector(`.kp-${part}`).textContent = data?.[part] ?? "";
  }
  if (!data) return;
  if (!data.columns.some(({ key }) => key === by)) by = null;
  select.replaceChildren(new Option("the order above", ""), ...data.columns.map(({ key, alone }) => new Option(alone, key)));
  region.querySelector("thead").replaceChildren(...heads());
  fill();
}

// Columns that belong together have one head above their own.
function heads() {
  const above = make("tr");
  const own = make("tr");
  for (const { key, title, among } of data.columns) {
    const button = make("button", { type: "button", "data-sort": key }, title, make("span", { "aria-hidden": "true" }));
    const head = make("th", { scope: "col", "data-key": key }, button);
    if (!among) {
      head.rowSpan = 2;
      above.append(head);
      continue;
    }
    if (above.lastChild?.dataset.among !== among) {
      above.append(make("th", { scope: "colgroup", "data-among": among }, among));
    }
    above.lastChild.colSpan = own.querySelectorAll(`[data-in="${CSS.escape(among)}"]`).length + 1;
    head.dataset.in = among;
    own.append(head);
  }
  return [above, own];
}

function cellsOf({ name, cells }) {
  const spent = drawn[name];
  return spent === undefined ? cells : { ...cells, drawing: [spent.toFixed(1), spent] };
}

function keyOf(row) {
  const [text, number] = cellsOf(row)[by];
  return number ?? (["model", "trained"].includes(by) ? text : null);
}

function fill() {
  const rows = by ? sortedBy(data.rows, keyOf, up) : data.rows;
  region.querySelector("tbody").replaceChildren(...rows.map((row) => {
    const cells = cellsOf(row);
    return make("tr", { "data-model": row.name }, ...data.columns.map(({ key, alone }) => {
      const text = cells[key][0];
      if (key === "model") {
        return make("th", { scope: "row" }, make("i", { class: "kp-swatch", style: `background: ${row.color}` }), text);
      }
      return make("td", { "data-key": key, "data-column": alone }, text);
    }));
  }));
  for (const head of region.querySelectorAll("th[data-key]")) {
    const chosen = head.dataset.key === by;
    if (chosen) head.setAttribute("aria-sort", up ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
    head.querySelector("span").textContent = chosen ? (up ? " ▲" : " ▼") : "";
  }
  select.value = by ?? "";
  turn.disabled = !by;
  turn.textContent = up ? "▲ smallest first" : "▼ largest first";
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const key = button.dataset.sort ?? by;
  up = key === by ? !up : true;
  by = key;
  fill();
});
select.addEventListener("change", () => {
  by = select.value || null;
  fill();
});
document.addEventListener("kp-drawn", (event) => {
  Object.assign(drawn, event.detail);
  if (data) fill();
});
watch("value", load);
load();
