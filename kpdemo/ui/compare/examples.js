// The strip of examples: one stop of the Tab key, and the arrow keys go from one to the next.

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export default function mount({ element, trigger }) {
  const strip = element.querySelector("button")?.parentNode;
  strip?.setAttribute("role", "toolbar");
  strip?.setAttribute("aria-label", "Example photos");
  element.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) trigger("click", { example: Number(button.dataset.example) });
  });
  element.addEventListener("keydown", (event) => {
    const buttons = [...element.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    if (at < 0 || !STEPS[event.key]) return;
    event.preventDefault();
    const next = buttons[(at + STEPS[event.key] + buttons.length) % buttons.length];
    buttons[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}
