// Runs once, when Gradio mounts the component: `element` is its. Sorts every table.kp-sortable in
// it, also those that come later, by the column whose heading is pressed. Cells say by
// `data-value` what they are sorted by; those without come last, up or down.

element.addEventListener("click", (event) => {
  const button = event.target.closest(".kp-sortable thead button");
  if (button) sort(button);
});

function sort(button) {
  const head = button.closest("th");
  const table = head.closest("table");
  const heads = [...head.parentElement.children];
  const other = { ascending: "descending", descending: "ascending" };
  const direction = other[head.getAttribute("aria-sort")] ?? button.dataset.first ?? "ascending";
  for (const each of heads) each.setAttribute("aria-sort", each === head ? direction : "none");
  const sign = direction === "ascending" ? 1 : -1;
  const column = heads.indexOf(head);
  const body = table.tBodies[0];
  const value = (row) => row.children[column].dataset.value;
  const compare = (a, b) => (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);
  const rows = [...body.rows].sort((one, two) => {
    const [a, b] = [value(one), value(two)];
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return sign * compare(a, b);
  });
  body.append(...rows);
}
