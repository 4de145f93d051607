// The strip of examples.

import { offer } from "../shared/common.js";
import { useArrows } from "../shared/strip.js";

export default function mount({ element, trigger }) {
  const strip = element.querySelector("button")?.parentNode;
  if (strip) useArrows(strip, "Example photos");
  element.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const wanted = { example: Number(button.dataset.example) };
    if (offer("kp-example", wanted)) trigger("click", wanted);
  });
}
