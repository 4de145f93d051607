// The options of a comparison's selects, or why there are none.

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

// Models or references by name; the last choice, made here or by a link, is kept where it still exists.
export function fillSelect(select, from, otherwise) {
  const { preference } = select.dataset;
  select.replaceChildren(...from.map(({ label, title, name }) => new Option(label ?? title, name)));
  select.value = from.some(({ name }) => name === preference) ? preference : otherwise?.name;
}
