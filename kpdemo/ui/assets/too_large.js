// Runs once, when Gradio mounts the component: `props` and `trigger` are its. A file of more than
// `props.most` bytes for the box `props.box` is refused before Gradio sends it.

const WAYS = {
  change: ({ target }) => target.files,
  drop: ({ dataTransfer }) => dataTransfer?.files,
};

for (const [way, filesOf] of Object.entries(WAYS)) {
  document.addEventListener(way, (event) => {
    const { target } = event;
    if (!target.closest(props.box)) return;
    if (![...(filesOf(event) ?? [])].some(({ size }) => size > props.most)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (way === "change") target.value = ""; // the same file may be chosen again
    else target.dispatchEvent(new DragEvent("dragleave", { bubbles: true })); // or the box stays lit
    trigger("too_large");
  }, true);
}
