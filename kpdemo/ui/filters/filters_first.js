// Runs once, when Gradio mounts the component: `element`, `props` and `watch` are its.

const FIRST_SIDE = 50;
const list = element.querySelector(".kp-first");

function load() {
  const models = props.value ? JSON.parse(props.value) : [];
  list.replaceChildren(...models.map((data) => {
    const bytes = signedOf(data.pictures);
    const canvases = Array.from({ length: data.outputs }, (_, k) => sized(pictureAt(data, bytes, k), FIRST_SIDE));
    return make(
      "figure",
      { class: "kp-first-layer", "data-model": data.model, style: `--model: ${data.color}` },
      make("figcaption", {}, make("i", { class: "kp-swatch" }), make("strong", {}, data.title), make("span", {}, data.size)),
      make("div", { role: "img", "aria-label": `${data.title}: ${data.size}` }, ...canvases),
    );
  }));
}

watch("value", load);
load();
