// All models' points on one picture, each switched by a chip.

import { make } from "../shared/common.js";
import { MESH, UNITS_ACROSS } from "./drawing.js";

const IBUG = "ibug-68";

export class Overlay {
  off = new Set(); // the names of the models that are switched off

  // `onSwitch()` is called after a chip was pressed.
  constructor(onSwitch) {
    this.onSwitch = onSwitch;
  }

  // A panel as it is drawn here: a mesh of hundreds of points would cover the others, so it is drawn as
  // the iBUG points that it is compared by.
  panelOf(panel, markups) {
    if (panel.names.length <= MESH || !markups[IBUG]) return panel;
    const faces = panel.faces.map(
      (face) =>
        face?.readings[IBUG] && { ...face, markup: IBUG, points: face.readings[IBUG], confidence: null, radii: null },
    );
    return faces.some(Boolean) ? { ...panel, ...markups[IBUG], markup: IBUG, faces } : panel;
  }

  isOn = ({ name }) => !this.off.has(name);

  // Puts the picture and its chips into its figure.
  frame(screen, large) {
    const chips = screen.panels.map((panel) => {
      const chip = make(
        "button",
        {
          type: "button",
          class: "kp-chip",
          "data-chip": panel.name,
          "aria-pressed": String(this.isOn(panel)),
          style: `--model: ${panel.color}`,
        },
        make("i", { "aria-hidden": "true" }),
        panel.title,
      );
      chip.addEventListener("click", () => {
        if (!this.off.delete(panel.name)) this.off.add(panel.name);
        chip.setAttribute("aria-pressed", String(this.isOn(panel)));
        this.apply(screen);
        this.onSwitch();
      });
      return chip;
    });
    screen.chips = chips;
    if (large) screen.across = innerWidth < 800 ? UNITS_ACROSS : 2 * UNITS_ACROSS;
    const group = make("div", { class: "kp-chips", role: "group", "aria-label": "Models on the picture" }, ...chips);
    const caption = make("figcaption", {}, make("strong", {}, "All models"));
    const stage = make("div", { class: "kp-stage" }, screen.svg);
    screen.figure = make("figure", { class: "kp-panel kp-all" }, ...(large ? [group, stage] : [caption, stage, group]));
    return screen;
  }

  apply({ svg, panels }) {
    for (const panel of panels) {
      svg.querySelector(`[data-overlay="${CSS.escape(panel.name)}"]`)?.toggleAttribute("hidden", !this.isOn(panel));
    }
  }
}
