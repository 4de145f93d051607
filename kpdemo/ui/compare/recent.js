// The session's last photos, to go back to.

import { make } from "../shared/common.js";
import { useArrows } from "../shared/strip.js";

export default function mount({ element, trigger }) {
  const box = element.querySelector(".kp-recent");
  const strip = element.querySelector(".kp-thumbnails");
  useArrows(strip, "Your last photos");

  document.addEventListener("kp-recent", ({ detail: photos }) => {
    const hasFocus = strip.contains(document.activeElement);
    box.hidden = !photos.length;
    strip.replaceChildren(
      ...photos.map(({ number, title, src, current }, k) =>
        make(
          "button",
          {
            type: "button",
            "data-number": number,
            title,
            "aria-label": `Photo ${k + 1} of ${photos.length}, ${title}`,
            tabindex: current ? 0 : -1,
            ...(current && { "aria-current": "true" }),
          },
          make("img", { alt: "", src }),
        ),
      ),
    );
    if (hasFocus) strip.querySelector("[aria-current]")?.focus({ preventScroll: true });
  });
  strip.addEventListener("click", ({ target }) => {
    const button = target.closest("button:not([aria-current])");
    if (button) trigger("back", { number: Number(button.dataset.number) });
  });
  box.querySelector("p button").addEventListener("click", () => trigger("forgotten"));
}
