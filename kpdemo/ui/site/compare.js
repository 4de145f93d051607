// The Compare tab without a server.

import contactSheet from "../compare/contact_sheet.js";
import degrade from "../compare/degrade.js";
import drag from "../compare/drag.js";
import examplesStrip from "../compare/examples.js";
import groundTruth from "../compare/ground_truth.js";
import { mountLocal } from "../compare/local.js";
import panels from "../compare/panels.js";
import table from "../compare/table.js";
import { megabytes } from "../shared/local_engine.js";
import { readPhoto } from "../shared/photo.js";
import { mountComponent } from "./component.js";
import { mountOwnModel } from "./own_model.js";

const BACKENDS = { wasm: "by WebAssembly", webgpu: "by WebGPU" };

export function mountCompare({ catalogue, local, offline }) {
  const list = document.querySelector("#models .kp-boxes-list");
  const boxes = () => [...list.querySelectorAll("input")];
  const about = document.querySelector("#engine");
  const chosen = () =>
    boxes()
      .filter(({ checked }) => checked)
      .map(({ value }) => value);
  let here = null;

  function choose() {
    document.dispatchEvent(new CustomEvent("kp-models", { detail: chosen() }));
    here?.choose();
  }

  const setPanels = mountComponent(document.querySelector("#panels"), panels, {
    on: {
      settings: () => {
        const named = new URLSearchParams(location.hash.slice(1)).get("models")?.split(",") ?? [];
        if (!boxes().some(({ value }) => named.includes(value))) return;
        for (const box of boxes()) box.checked = named.includes(box.value);
        choose();
      },
    },
  });

  const setTable = mountComponent(document.querySelector("#table"), table);
  mountComponent(document.querySelector("#contact-sheet"), contactSheet, { props: catalogue.sheet });
  mountComponent(document.querySelector("#degrade"), degrade, { props: { sliders: catalogue.sliders } });
  const setTruth = mountComponent(document.querySelector("#truth"), groundTruth);
  const setDrag = mountComponent(document.querySelector("#drag"), drag);

  async function tellSize() {
    try {
      const { bytes, backend } = await local.size(chosen());
      const rest = local.has(chosen())
        ? ". Nothing of your photo leaves it."
        : `; the next photo loads ${megabytes(bytes)} once, which stay here.`;
      about.textContent = `The models run in this browser, ${BACKENDS[backend]}${rest}`;
    } catch (error) {
      about.textContent = `The models could not be run in this browser: ${error.message}`;
    }
  }

  window.kpdemo = { engine: null, result: null };
  here = mountLocal(document.querySelector("#compare"), {
    catalogue,
    local,
    chosen,
    show: (panelsValue, tableValue, truthValue) => {
      setTruth(truthValue);
      setTable(tableValue);
      setPanels(panelsValue);
      setDrag(panelsValue);
    },
    example: async (number) => {
      const { file, look } = catalogue.examples[number];
      await offline;
      const response = await fetch(`examples/${file}`);
      if (!response.ok) throw new Error(response.statusText);
      return { blob: await response.blob(), file, look };
    },
    onLoad: tellSize,
    ready: offline,
  });
  window.kpdemo.compare = here.compare;

  // Shows the first example as it was compared when this page was written: no model is needed for that.
  async function open() {
    const [example] = catalogue.examples;
    if (!example) return;
    const [opening, photo] = await Promise.all([fetch("opening.json"), fetch(`examples/${example.file}`)]);
    const picture = await readPhoto(await photo.blob());
    const result = await opening.json();
    const look = `${example.look} This result came with the page; yours will be computed here.`;
    if (here.isIdle()) here.finish({ file: example.file, look, picture, result });
  }

  mountOwnModel(document.querySelector("#own-onnx"), { boxes: list, catalogue, local, onAdd: choose });
  list.addEventListener("change", choose);
  mountComponent(document.querySelector("#examples"), examplesStrip);
  choose();
  open().catch(console.error);
}
