// The choice of model, face and view, whose value is a JSON text.

import { make } from "../shared/common.js";

const group = (label, models) =>
  models.length ? [make("optgroup", { label }, ...models.map(({ name, title }) => new Option(title, name)))] : [];

export default function mount({ element, props, trigger, watch }) {
  const [model, face] = element.querySelectorAll("select");
  const views = [...element.querySelectorAll("input")];
  const explanation = element.querySelector(".kp-why");
  for (const radio of views) radio.name = `${element.id}-view`;

  let data = null;
  let preference = "heatmap"; // what the visitor chose, also while the model has no maps

  function load() {
    data = JSON.parse(props.value);
    const beside = { name: data.beside, title: "Side by side", maps: true };
    model.replaceChildren(
      ...group("All with heatmaps", data.beside ? [beside] : []),
      ...group(
        "Heatmap for each keypoint",
        data.models.filter(({ maps }) => maps),
      ),
      ...group(
        "Coordinates only",
        data.models.filter(({ maps }) => !maps),
      ),
    );
    face.replaceChildren(...Array.from({ length: data.faces }, (_, k) => new Option(`Face ${k + 1}`, k)));
    face.parentElement.hidden = data.faces < 2;
    model.value = data.model;
    face.value = data.face;
    if (!isBeside() && allows("heatmap")) preference = data.view; // after a cancel, what was there before
    updateViews(data.view);
  }

  function updateViews(view) {
    for (const radio of views) {
      radio.checked = radio.value === view;
      radio.disabled = !allows(radio.value);
    }
    explanation.textContent = isBeside()
      ? "Sensitivity and gradients are drawn for one model at a time."
      : allows("heatmap")
        ? ""
        : "This model has no heatmaps: it predicts coordinates only.";
  }

  const isBeside = () => model.value === data.beside;
  const allows = (view) =>
    view === "heatmap" ? isBeside() || data.models.find(({ name }) => name === model.value).maps : !isBeside();

  element.addEventListener("change", (event) => {
    if (event.target.type === "radio") preference = event.target.value;
    updateViews(isBeside() ? "heatmap" : allows(preference) ? preference : "sensitivity");
    const view = views.find((radio) => radio.checked).value;
    trigger("input", { model: model.value, face: Number(face.value), view, at: performance.now() });
  });
  watch("value", load);
  load();
}
