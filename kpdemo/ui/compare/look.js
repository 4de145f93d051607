// One of several photos and the panels' value of it: computed in this browser where the visitor has chosen that,
// else by the server.

import { offer } from "../shared/common.js";

const read = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });

// As the server's `look` answers: `panels`, an `error`, or that it is `busy`.
export const look = (server, file, models) =>
  new Promise((answer, fail) => {
    if (!offer("kp-look", { file, models, answer })) return;
    read(file)
      .then((picture) => server.look({ picture, models }))
      .then(answer, fail);
  });

// Gives a photo to the box for photos, as if it alone had been chosen.
export function give(file) {
  const boxes = [...document.querySelectorAll(".kp-drop input, #photo input[type=file]")];
  const input = boxes.find((box) => box.parentElement.checkVisibility()) ?? boxes.at(-1);
  const data = new DataTransfer();
  data.items.add(file);
  input.files = data.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}
