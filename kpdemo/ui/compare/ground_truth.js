// Reads the chosen file in the browser, so that it is never written to the server's disk. Where the models run in
// this browser, it does not go to the server either.

import { offer } from "../shared/common.js";

const MAX_BYTES = 10_000_000;

export default function mount({ element, props, trigger, watch }) {
  const file = element.querySelector("[name=marks]");
  const marks = element.querySelector(".kp-marks");
  const set = element.querySelector("[name=set]");

  function load() {
    const data = props.value ? JSON.parse(props.value) : null;
    marks.hidden = !data;
    file.value = ""; // so that the same file can be chosen again
    if (!data) return;
    marks.querySelector("p").textContent = data.says;
    set.parentNode.hidden = data.sets.length < 2;
    set.replaceChildren(...data.sets.map(([name, title]) => new Option(title, name)));
    set.value = data.chosen;
  }

  const request = (event, wanted = {}) => offer("kp-truth", wanted) && trigger(event, wanted);

  file.addEventListener("change", async () => {
    const [upload] = file.files;
    if (!upload) return;
    // The server counts letters, of which a file may have fewer than bytes.
    const text = upload.size < MAX_BYTES ? await upload.text() : " ".repeat(MAX_BYTES);
    request("chosen", { name: upload.name, text });
    file.value = "";
  });
  set.addEventListener("change", () => request("another", { set: set.value }));
  marks.querySelector("button").addEventListener("click", () => {
    request("cleared");
    file.focus();
  });
  watch("value", load);
  load();
}
