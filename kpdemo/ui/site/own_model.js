// The visitor's own net: an ONNX file and the JSON beside it, which nothing but this browser reads.

import { make } from "../shared/common.js";

const MOST = 3;
const COLORS = ["#7b6bb5", "#6b8e23", "#a8643c"];
const PAIR = "Choose two files together: the .onnx, and the .json that says its markup, input and crop.";
const ENOUGH = `You have ${MOST} models of your own here; reload the page to begin anew.`;

// `onAdd` is told that the catalogue has one more model, which is among `boxes`, the list of checkboxes.
export function mountOwnModel(element, { boxes, catalogue, local, onAdd }) {
  const input = element.querySelector("input");
  const message = element.querySelector(".kp-own-message");
  const own = {}; // titles by name
  catalogue.own = own;

  function say(kind, sentence) {
    const role = kind === "error" ? "alert" : "status";
    message.replaceChildren(make("div", { class: `kp-notice kp-${kind}`, role }, make("p", {}, sentence)));
  }

  // Saved results have models by title, and ours by name.
  function unique(title) {
    const taken = [...Object.keys(catalogue.models), ...Object.values(own)];
    const count = taken.filter((each) => each === title || each.startsWith(`${title} (`)).length;
    return count ? `${title} (${count + 1})` : title;
  }

  async function add(files) {
    const [graph, settings] = ["onnx", "json"].map((kind) =>
      files.find((file) => file.name.toLowerCase().endsWith(`.${kind}`)),
    );
    if (files.length !== 2 || !graph || !settings) throw new Error(PAIR);
    const count = Object.keys(own).length;
    if (count === MOST) throw new Error(ENOUGH);
    const name = `own-${count + 1}`;
    const title = unique(graph.name.replace(/\.onnx$/i, ""));
    await local.add(name, await graph.arrayBuffer(), await settings.text(), (words) => say("info", words));
    const color = COLORS[count];
    own[name] = title;
    catalogue.models[name] = { title, color, parameters: null, trained: "–" };
    const box = make("input", { type: "checkbox", value: name, checked: "" });
    boxes.append(make("label", {}, box, make("i", { class: "kp-swatch", style: `background: ${color}` }), title));
    say("info", `${title} is among the models now.`);
    onAdd();
  }

  input.addEventListener("change", async () => {
    const files = [...input.files];
    input.value = "";
    try {
      await add(files);
    } catch (error) {
      say("error", error.message);
    }
  });
}
