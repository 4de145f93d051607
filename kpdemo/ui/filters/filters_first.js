// The first layer's kernels of several models.

import { make } from "../shared/common.js";
import { decodeSigned, fitCells, paintKernel } from "./paint.js";

const SIDE = 50;

export default function mount({ element, props, watch }) {
  const list = element.querySelector(".kp-first");

  function load() {
    const models = props.value ? JSON.parse(props.value) : [];
    list.replaceChildren(
      ...models.map((data) => {
        const bytes = decodeSigned(data.pictures);
        const canvases = Array.from({ length: data.outputs }, (_, k) => fitCells(paintKernel(data, bytes, k), SIDE));
        return make(
          "figure",
          { class: "kp-first-layer", "data-model": data.model, style: `--model: ${data.color}` },
          make(
            "figcaption",
            {},
            make("i", { class: "kp-swatch" }),
            make("strong", {}, data.title),
            make("span", {}, data.size),
          ),
          make("div", { role: "img", "aria-label": `${data.title}: ${data.size}` }, ...canvases),
        );
      }),
    );
  }

  watch("value", load);
  load();
}
