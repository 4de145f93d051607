// The Live tab without a server.

import live from "../live/live.js";
import { localSource } from "../live/local.js";
import { mountComponent } from "./component.js";

export function mountCamera({ catalogue, local, offline }) {
  const { models, markups, baseline } = catalogue;
  const boxes = [...document.querySelectorAll("#live-models input")];
  const chosen = () => JSON.stringify(boxes.filter(({ checked }) => checked).map(({ value }) => value));
  const setModels = mountComponent(document.querySelector("#camera"), live, {
    props: {
      value: chosen(),
      baseline,
      systems: models,
      contours: Object.fromEntries(Object.entries(markups).map(([name, { contours }]) => [name, contours])),
    },
    source: localSource(local, catalogue, offline),
  });
  for (const box of boxes) box.addEventListener("change", () => setModels(chosen()));
}
