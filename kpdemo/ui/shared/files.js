// Files that are chosen for the box `props.box`, dropped there, or pasted while it is visible pass
// here before Gradio gets them. A file of more than `props.most` bytes is refused. Browsers give some
// photos no type, HEIC among them, and Gradio refuses those before the server has looked at their
// bytes: they get `props.kind`. Several files at once are those of the document's event `props.several`.

const FILES_OF = {
  change: ({ target }) => target.files,
  drop: ({ dataTransfer }) => dataTransfer?.files,
  paste: ({ clipboardData }) => clipboardData?.files,
};

const drop = (place, dataTransfer) =>
  place?.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));

// Makes the box ready for the next file, when Gradio does not get this one.
function release({ type, target }) {
  if (type === "change") target.value = ""; // the same file may be chosen again
  // Otherwise the box would stay highlighted.
  if (type === "drop") target.dispatchEvent(new DragEvent("dragleave", { bubbles: true }));
}

export default function mount({ props, trigger }) {
  const hasKind = (file) => !props.kind || file.type.startsWith(`${props.kind}/`);

  function asOfType(files) {
    const data = new DataTransfer();
    for (const file of files) {
      const type = hasKind(file) ? file.type : `${props.kind}/*`;
      data.items.add(new File([file], file.name, { type }));
    }
    return data;
  }

  // Just before the browser's own dialog opens.
  document.addEventListener(
    "click",
    ({ target }) => {
      const input = props.several && target.closest(props.box)?.querySelector("input[type=file]");
      if (input) input.multiple = true;
    },
    true,
  );
  for (const [type, filesOf] of Object.entries(FILES_OF)) {
    document.addEventListener(
      type,
      (event) => {
        const box = document.querySelector(props.box);
        const { target } = event;
        const files = [...(filesOf(event) ?? [])];
        if (!files.length) return;
        if (type === "paste" ? !box?.checkVisibility() : !target.closest(props.box)) return;
        if (props.several && files.length > 1) {
          event.preventDefault();
          event.stopImmediatePropagation();
          release(event);
          document.dispatchEvent(new CustomEvent(props.several, { detail: files }));
          return;
        }
        const tooLarge = files.some(({ size }) => size > props.most);
        // Until it has arrived, nothing else belongs in the box.
        if (!tooLarge) box.dataset.chosen = Date.now();
        if (!tooLarge && type === "change") {
          if (!files.every(hasKind)) target.files = asOfType(files).files;
          return;
        }
        if (!tooLarge && type === "drop" && files.every(hasKind)) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        if (tooLarge) {
          release(event);
          trigger("too_large");
        } else {
          drop(type === "drop" ? target : box.querySelector(".upload-container"), asOfType(files));
        }
      },
      true,
    );
  }
}
