// Runs once, when Gradio mounts the component: `element`, `props`, `trigger` and `watch` are its.

const [model, face] = element.querySelectorAll("select");
const views = [...element.querySelectorAll("input")];
const why = element.querySelector(".kp-why");
for (const radio of views) radio.name = `${element.id}-view`;

let data = null;
let wanted = "heatmap"; // what the visitor chose, also while the model has no maps

const group = (label, models) =>
  models.length ? [make("optgroup", { label }, ...models.map(({ name, title }) => new Option(title, name)))] : [];

function load() {
  data = JSON.parse(props.value);
  model.replaceChildren(
    ...group("Draw a heatmap for each point", data.models.filter(({ maps }) => maps)),
    ...group("Answer with numbers alone", data.models.filter(({ maps }) => !maps)),
  );
  face.replaceChildren(...Array.from({ length: data.faces }, (_, k) => new Option(`Face ${k + 1}`, k)));
  face.parentElement.hidden = data.faces < 2;
  model.value = data.model;
  face.value = data.face;
  if (chosen().maps) wanted = data.view; // after a cancel, what was there before
  offer(data.view);
}

function offer(view) {
  const { maps } = chosen();
  for (const radio of views) {
    radio.checked = radio.value === view;
    radio.disabled = radio.value === "heatmap" && !maps;
  }
  why.textContent = maps ? "" : "This model has no heatmaps: it answers with two numbers a point.";
}

const chosen = () => data.models.find(({ name }) => name === model.value);

element.addEventListener("change", (event) => {
  if (event.target.type === "radio") wanted = event.target.value;
  offer(chosen().maps ? wanted : "sensitivity");
  const view = views.find((radio) => radio.checked).value;
  trigger("input", { model: model.value, face: Number(face.value), view });
});
watch("value", load);
load();
