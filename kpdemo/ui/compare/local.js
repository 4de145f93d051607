// Photos that are compared in this browser: a file, an example or a camera's frame in, panels out.

import { make, plural } from "../shared/common.js";
import { readPhoto } from "../shared/photo.js";
import { degraded } from "./local_degrade.js";
import { describeTruth, truthFrom, truthOfFaces, withSet } from "./local_truth.js";
import { resultMessages } from "./result_messages.js";
import { panelsValue } from "./value.js";

const NO_PHOTO = "Compare a photo first; then change it here.";
const NO_COMPARISON = "Compare a photo first; then choose the file with its ground truth.";
const DEVICES = { wasm: "WASM", webgpu: "WebGPU", cpu: "processor" };

// `element` has a box for a photo (`.kp-drop`), a `.kp-progress` and a place for messages
// (`.kp-local-message`); `catalogue` is that of `catalogue.py`, `local` the engine. `chosen` gives the
// models that are ticked, `show` gets the values of the panels, the table and the ground truth, `example`
// loads one of the examples: {file, look, blob}. `isOn` tells whether photos are to be compared here,
// `takesFrame` the same of a camera's frame. `onFailure` makes a sentence of why the engine cannot be used;
// `ready` is waited for before anything is loaded.
export function mountLocal(
  element,
  {
    catalogue,
    local,
    chosen,
    show,
    example,
    isOn = () => true,
    takesFrame = isOn,
    onLoad = () => {},
    onFailure = ({ message }) => message,
    ready = Promise.resolve(),
  },
) {
  const box = element.querySelector(".kp-drop");
  const input = box.querySelector("input");
  const messages = element.querySelector(".kp-local-message");
  const progress = element.querySelector(".kp-progress");
  const bar = progress.querySelector("progress");

  let last = null; // {picture, file, look, result, truth}
  let newest = null; // the photo that is wanted; older ones are left out
  let turns = Promise.resolve();

  function say(kind, sentences) {
    const role = kind === "error" ? "alert" : "status";
    const lines = sentences.map((sentence) => make("p", {}, sentence));
    messages.replaceChildren(...(lines.length ? [make("div", { class: `kp-notice kp-${kind}`, role }, ...lines)] : []));
  }

  function tell(words, share) {
    progress.hidden = !words;
    progress.querySelector("p").textContent = words;
    if (share === undefined) bar.removeAttribute("value");
    else bar.value = share;
  }

  async function load(models) {
    await ready;
    try {
      return await local.get(models, tell);
    } catch (error) {
      throw new Error(onFailure(error));
    } finally {
      onLoad();
    }
  }

  // The result of a picture, a canvas or a bitmap, as `Comparison.to_dict()`. `answered` gets it model by model.
  async function compare(picture, { models = chosen(), answered } = {}) {
    try {
      const engine = await load(models);
      window.kpdemo.engine = engine.backend;
      tell("Finding faces …");
      const result = await engine.compare(picture, { models, answered });
      window.kpdemo.result = result;
      return result;
    } finally {
      tell("");
    }
  }

  function panelsOf({ truth, ...shown }) {
    const marked = truth && {
      markup: truth.sets[truth.chosen].markup,
      faces: truthOfFaces(truth, shown.result.faces),
    };
    return JSON.stringify(panelsValue({ devices: DEVICES, ...shown, truth: marked }, catalogue));
  }

  function draw(shown) {
    document.body.classList.remove("kp-stale");
    const truth = shown.truth && describeTruth(shown.truth, shown.result, catalogue);
    const table = JSON.stringify({ models: catalogue.models, warning: truth?.warning ?? "", weights: "" });
    show(panelsOf(shown), table, truth ? JSON.stringify(truth) : null);
  }

  function finish(shown) {
    last = shown;
    if (!isOn()) return; // the visitor has chosen the server meanwhile
    draw(shown);
    say("info", resultMessages(shown.result, catalogue));
  }

  function setBusy(isBusy) {
    document.body.classList.toggle("kp-busy", isBusy);
    document.body.classList.toggle("kp-stale", isBusy);
    document.dispatchEvent(new CustomEvent("kp-busy", { detail: isBusy ? 1 : -1 }));
  }

  async function run(wanted) {
    if (wanted !== newest) return;
    const models = chosen();
    if (!models.length) {
      say("error", ["Choose at least one model."]);
      return;
    }
    setBusy(true);
    try {
      const picture = (await wanted.picture) ?? (await readPhoto(await wanted.blob));
      const answered = (result) => {
        if (wanted !== newest || !isOn()) return;
        const count = Object.keys(result.devices).length;
        tell(`${count} of ${plural(models.length, "model")} compared`, count / models.length);
        draw({ ...wanted, picture, result, isPartial: true });
      };
      const result = await compare(picture, { models, answered });
      finish({ ...wanted, picture, result });
    } catch (error) {
      say("error", [error.message]);
    }
    setBusy(false);
  }

  // Compares what is wanted: {blob or picture, or promises of them, file, look}. One at a time, and the newest one.
  function take(wanted) {
    newest = { look: "", ...wanted };
    const mine = newest;
    turns = turns.then(() => run(mine));
    return turns;
  }

  // One photo is compared, several become a sheet where the page has one.
  function takeFiles(files) {
    const [file, ...more] = files;
    const hasSheet = document.querySelector(".kp-sheet");
    if (more.length && hasSheet) document.dispatchEvent(new CustomEvent("kp-photos", { detail: [...files] }));
    else if (file) take({ blob: file, file: file.name });
  }

  input.addEventListener("change", () => {
    takeFiles(input.files);
    input.value = ""; // the same files may be chosen again
  });
  for (const type of ["dragover", "dragleave", "drop"]) {
    box.addEventListener(type, (event) => {
      event.preventDefault();
      box.classList.toggle("kp-over", type === "dragover");
      if (type === "drop") takeFiles(event.dataTransfer.files);
    });
  }
  // Before Gradio gets it.
  const paste = (event) => {
    const { files } = event.clipboardData;
    if (!files.length || !isOn()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (box.checkVisibility()) takeFiles(files);
  };
  addEventListener("paste", paste, true);
  document.addEventListener("kp-example", async (event) => {
    if (!isOn()) return;
    event.preventDefault();
    try {
      take(await example(event.detail.example));
    } catch {
      say("error", ["The example could not be loaded; try again when you are online."]);
    }
  });
  // One of several photos.
  document.addEventListener("kp-look", async (event) => {
    if (!isOn()) return;
    event.preventDefault();
    const { file, models, answer } = event.detail;
    try {
      const picture = await readPhoto(file);
      const engine = await load(models);
      answer({
        panels: panelsOf({ picture, file: file.name, look: "", result: await engine.compare(picture, { models }) }),
      });
    } catch (error) {
      answer({ error: error.message });
    }
  });
  document.addEventListener("kp-degrade", async (event) => {
    if (!isOn()) return;
    event.preventDefault();
    const { settings, answer } = event.detail;
    if (!last) return answer({ empty: NO_PHOTO });
    try {
      const models = chosen();
      const engine = await load(models);
      answer(await degraded(last, settings, (picture) => engine.compare(picture, { models })));
    } catch (error) {
      answer({ empty: error.message });
    }
  });
  document.addEventListener("kp-truth", (event) => {
    if (!isOn()) return;
    event.preventDefault();
    try {
      if (!last) throw new Error(NO_COMPARISON);
      finish({ ...last, truth: truthAfter(event.detail) });
    } catch (error) {
      say("error", [error.message]);
      if (last) draw(last);
    }
  });
  // A file's name and text, the `set` of its points to use, or neither: no ground truth any more.
  function truthAfter({ name, text, set }) {
    if (text !== undefined) return truthFrom(name, text, last.result, catalogue);
    return set === undefined ? null : withSet({ ...last.truth, chosen: set }, last.result);
  }
  document.addEventListener("kp-freeze", (event) => {
    if (!takesFrame(event.detail)) return;
    event.preventDefault();
    take({ picture: createImageBitmap(event.detail.frame), file: "camera frame" });
  });

  return {
    compare,
    say,
    finish,
    // Compares the last photo by models that have been ticked since.
    choose() {
      if (!isOn()) return;
      const known = last && [...Object.keys(last.result.devices), ...Object.keys(last.result.unavailable)];
      if (last && chosen().some((name) => !known.includes(name))) take(last);
      else onLoad();
    },
    isIdle: () => !newest,
    // Shows the last photo again, if there is one.
    restore: () => last && finish(last),
  };
}
