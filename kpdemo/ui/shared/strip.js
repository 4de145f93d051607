// A strip of buttons that is one stop of the Tab key: the arrow keys go from one to the next.

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export function useArrows(strip, label) {
  strip.setAttribute("role", "toolbar");
  strip.setAttribute("aria-label", label);
  strip.addEventListener("keydown", (event) => {
    const buttons = [...strip.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    if (at < 0 || !STEPS[event.key]) return;
    event.preventDefault();
    const next = buttons[(at + STEPS[event.key] + buttons.length) % buttons.length];
    buttons[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}
