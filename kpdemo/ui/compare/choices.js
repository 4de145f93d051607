// What there is to choose from on a comparison, or why there is nothing.

// Why there are no panels; `data` is the value of the component, null before the first comparison.
export function emptyReason(data) {
  if (!data) return "Nothing compared yet.";
  if (!data.faces.length) return "No face found on this photo.";
  if (data.panels.length) return "No model is chosen.";
  return "The chosen models found no points: choose others.";
}

// The whole photo and each face; the largest face where the photo is to start `close`.
export function fillViews(select, { faces, start }, close) {
  const many = faces.length;
  const whole = ["Whole photo", "Both faces"][many - 1] ?? `All ${many} faces`;
  select.replaceChildren(
    new Option(whole, -1),
    ...faces.map((_, k) => new Option(many > 1 ? `Face ${k + 1}` : "Close-up", k)),
  );
  select.value = many && (start || close) ? 0 : -1;
}

// Models or references by name; what was chosen, here or by a link, stays whenever it is there.
export function fillSelect(select, from, otherwise) {
  const { preference } = select.dataset;
  select.replaceChildren(...from.map(({ label, title, name }) => new Option(label ?? title, name)));
  select.value = from.some(({ name }) => name === preference) ? preference : otherwise?.name;
}
