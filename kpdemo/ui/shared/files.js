// Runs once, when Gradio mounts the component: `props` and `trigger` are its. What is chosen for the
// box `props.box`, dropped there, or pasted while it is in sight, passes here before Gradio sees it.
// A file of more than `props.most` bytes is refused. Browsers give some photos no type, HEIC among
// them, and Gradio refuses those before the server has looked at their bytes: they get `props.kind`.

const WAYS = {
  change: ({ target }) => target.files,
  drop: ({ dataTransfer }) => dataTransfer?.files,
  paste: ({ clipboardData }) => clipboardData?.files,
};

const isFine = (file) => !props.kind || file.type.startsWith(`${props.kind}/`);

function asOfType(files) {
  const data = new DataTransfer();
  for (const file of files) {
    const type = isFine(file) ? file.type : `${props.kind}/*`;
    data.items.add(new File([file], file.name, { type }));
  }
  return data;
}

const drop = (place, dataTransfer) =>
  place?.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));

for (const [way, filesOf] of Object.entries(WAYS)) {
  document.addEventListener(way, (event) => {
    const box = document.querySelector(props.box);
    const { target } = event;
    const files = [...(filesOf(event) ?? [])];
    if (!files.length) return;
    if (way === "paste" ? !box?.checkVisibility() : !target.closest(props.box)) return;
    const tooLarge = files.some(({ size }) => size > props.most);
    if (!tooLarge && way === "change") {
      if (!files.every(isFine)) target.files = asOfType(files).files;
      return;
    }
    if (!tooLarge && way === "drop" && files.every(isFine)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (tooLarge) {
      if (way === "change") target.value = ""; // the same file may be chosen again
      // Or the box stays lit.
      if (way === "drop") target.dispatchEvent(new DragEvent("dragleave", { bubbles: true }));
      trigger("too_large");
    } else {
      drop(way === "drop" ? target : box.querySelector(".upload-container"), asOfType(files));
    }
  }, true);
}
