// The strip of examples.

import { useArrows } from "../shared/strip.js";

export default function mount({ element, trigger }) {
  const strip = element.querySelector("button")?.parentNode;
  if (strip) useArrows(strip, "Example photos");
  element.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) trigger("click", { example: Number(button.dataset.example) });
  });
}
