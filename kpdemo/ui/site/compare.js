// The Compare tab without a server: a photo in, every model's points on it, files out.

import examplesStrip from "../compare/examples.js";
import panels from "../compare/panels.js";
import { resultFile } from "../compare/result_files.js";
import { resultMessages } from "../compare/result_messages.js";
import { panelsValue } from "../compare/value.js";
import { make, saveFile } from "../shared/common.js";
import { megabytes } from "../shared/local_engine.js";
import { readPhoto } from "../shared/photo.js";
import { mountComponent } from "./component.js";

const DEVICES = { wasm: "WASM", webgpu: "WebGPU", cpu: "processor" };
const BACKENDS = { wasm: "by WebAssembly", webgpu: "by WebGPU" };
const FAILED = "The models could not be run in this browser";

export function mountCompare({ catalogue, local, offline }) {
  const photo = document.querySelector("#photo");
  const input = photo.querySelector("input");
  const boxes = [...document.querySelectorAll("#models input")];
  const notice = document.querySelector("#notice");
  const [about, progress] = document.querySelector("#engine").children;
  const bar = progress.querySelector("progress");

  let last = null; // {picture, file, look, result}
  let turns = Promise.resolve();
  let newest = null; // the photo that is wanted; older ones are left out
  const chosen = () => boxes.filter(({ checked }) => checked).map(({ value }) => value);

  const setPanels = mountComponent(document.querySelector("#panels"), panels, {
    on: {
      download: (wanted) => {
        const { result, file } = last;
        const saved = resultFile(result, wanted, chosen(), file, catalogue.markups);
        if (saved) saveFile(saved.name, new Blob([saved.text], { type: saved.type }));
        else say("error", ["This model found no points on this face; choose another under “View”."]);
      },
      settings: () => {
        const named = new URLSearchParams(location.hash.slice(1)).get("models")?.split(",") ?? [];
        if (!boxes.some(({ value }) => named.includes(value))) return;
        for (const box of boxes) box.checked = named.includes(box.value);
        choose();
      },
    },
  });

  function say(kind, sentences) {
    const role = kind === "error" ? "alert" : "status";
    const lines = sentences.map((sentence) => make("p", {}, sentence));
    notice.replaceChildren(...(lines.length ? [make("div", { class: `kp-notice kp-${kind}`, role }, ...lines)] : []));
  }

  async function tellSize() {
    try {
      const { bytes, backend } = await local.size(chosen());
      about.textContent = local.has(chosen())
        ? `The models run in this browser, ${BACKENDS[backend]}. Nothing of your photo leaves it.`
        : `The models run in this browser, ${BACKENDS[backend]}; the next photo loads ${megabytes(bytes)} once, which stay here.`;
    } catch (error) {
      about.textContent = `${FAILED}: ${error.message}`;
    }
  }

  // The result of a picture, a canvas or a bitmap, as `Comparison.to_dict()`.
  async function compare(picture, { models = chosen() } = {}) {
    await offline;
    progress.hidden = local.has(models);
    try {
      const engine = await local.get(models, (words, share) => {
        bar.value = share;
        progress.querySelector("p").textContent = words;
      });
      window.kpdemo.engine = engine.backend;
      progress.hidden = true;
      const result = await engine.compare(picture, { models });
      window.kpdemo.result = result;
      return result;
    } finally {
      progress.hidden = true;
      tellSize();
    }
  }

  function show(shown) {
    last = shown;
    const { result, picture, file, look } = shown;
    const stem = file.replace(/\.[^.]*$/, "") || "photo";
    setPanels(JSON.stringify(panelsValue({ result, picture, file: stem, look, devices: DEVICES }, catalogue)));
    say("info", resultMessages(result, catalogue));
  }

  // Shows the first example as it was compared when this page was written: no model is needed for that.
  async function open() {
    const [example] = catalogue.examples;
    if (!example) return;
    const [opening, photo] = await Promise.all([fetch("opening.json"), fetch(`examples/${example.file}`)]);
    const picture = await readPhoto(await photo.blob());
    const result = await opening.json();
    const look = `${example.look} This result came with the page; yours will be computed here.`;
    if (!newest) show({ file: example.file, look, picture, result });
  }

  async function run(wanted) {
    if (wanted !== newest) return;
    if (!chosen().length) {
      say("error", ["Choose at least one model."]);
      return;
    }
    document.body.classList.add("kp-busy");
    try {
      const picture = wanted.picture ?? (await readPhoto(wanted.blob));
      const result = await compare(picture);
      show({ ...wanted, picture, result });
    } catch (error) {
      say("error", [error.message]);
    }
    document.body.classList.remove("kp-busy");
  }

  // Compares what is wanted: {blob or picture, file, look}. One at a time, and the newest one.
  function take(wanted) {
    newest = { look: "", ...wanted };
    const mine = newest;
    turns = turns.then(() => run(mine));
    return turns;
  }

  const takeFile = (file) => file && take({ blob: file, file: file.name });

  function choose() {
    document.dispatchEvent(new CustomEvent("kp-models", { detail: chosen() }));
    const known = last && [...Object.keys(last.result.devices), ...Object.keys(last.result.unavailable)];
    if (last && chosen().some((name) => !known.includes(name))) take(last);
    else tellSize();
  }

  input.addEventListener("change", () => {
    takeFile(input.files[0]);
    input.value = ""; // the same file may be chosen again
  });
  photo.addEventListener("dragover", (event) => {
    event.preventDefault();
    photo.classList.add("kp-over");
  });
  photo.addEventListener("dragleave", () => photo.classList.remove("kp-over"));
  photo.addEventListener("drop", (event) => {
    event.preventDefault();
    photo.classList.remove("kp-over");
    takeFile(event.dataTransfer.files[0]);
  });
  document.addEventListener(
    "paste",
    ({ clipboardData }) => photo.checkVisibility() && takeFile(clipboardData.files[0]),
  );
  for (const box of boxes) box.addEventListener("change", choose);
  mountComponent(document.querySelector("#examples"), examplesStrip, {
    on: {
      click: async ({ example }) => {
        const { file, look } = catalogue.examples[example];
        await offline;
        try {
          const response = await fetch(`examples/${file}`);
          if (!response.ok) throw new Error();
          take({ blob: await response.blob(), file, look });
        } catch {
          say("error", ["The example could not be loaded; try again when you are online."]);
        }
      },
    },
  });

  window.kpdemo = { engine: null, result: null, compare };
  tellSize();
  open().catch(console.error);
  return (picture) => take({ picture, file: "camera frame" });
}
