// Several photos at once: a strip of them, sorted by the largest distance between two models. They stay
// in this page until the sheet is closed.

import { chosenNames } from "../shared/choice.js";
import { make, plural, saveFile, sortBy } from "../shared/common.js";
import { Comparison } from "./comparison.js";
import { formatShare, sentence } from "./finding.js";
import { give, look } from "./look.js";

const RETRY_DELAY = 500; // milliseconds until the next try when the server has enough to do
const COLUMNS = ["file", "faces", "largest_distance_percent", "model_a", "model_b", "finding"];

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// A photo's row: its picture, what is found on it, and the models that lie farthest apart.
function summary(file, data) {
  const comparison = new Comparison(data);
  comparison.choose(null); // all of them
  const facts = comparison.facts();
  const apart = facts.pairs.filter(({ share }) => share !== null);
  const most = apart.length ? apart.reduce((one, two) => (two.share > one.share ? two : one)) : null;
  const finding = sentence(facts) || (facts.faces ? "No model has points here." : "No face found.");
  return { file, src: data.src, faces: facts.faces, most, finding };
}

const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;

export default function mount({ element, props, server }) {
  const sheet = element.querySelector(".kp-sheet");
  const status = sheet.querySelector("[role=status]");
  const list = sheet.querySelector("ol");
  const csv = sheet.querySelector('[data-do="csv"]');
  let rows = []; // {file, src, faces, most, finding}, or {file, error}
  let run = null; // another one is another object

  async function compare(file) {
    if (file.size > props.most) return { file, error: props.too_large };
    try {
      const models = chosenNames();
      for (;;) {
        const answer = await look(server, file, models);
        if (!answer) return { file, error: "The server does not answer; try again." };
        if (answer.error) return { file, error: answer.error };
        if (!answer.busy) return summary(file, JSON.parse(answer.panels));
        await pause(RETRY_DELAY);
      }
    } catch (error) {
      return { file, error: `This photo could not be compared (${error.message ?? error}); try again.` };
    }
  }

  async function start(files) {
    const own = {};
    run = own;
    rows = [];
    const photos = files.slice(0, props.photos);
    sheet.hidden = false;
    csv.disabled = true;
    list.replaceChildren();
    sheet.scrollIntoView({ block: "nearest" });
    for (const [k, file] of photos.entries()) {
      status.textContent = `Photo ${k + 1} of ${photos.length} …`;
      const row = await compare(file);
      if (run !== own) return;
      rows.push(row);
      show();
    }
    const left = files.length - photos.length;
    status.textContent = `${plural(photos.length, "photo")} compared${left ? `, the first of ${files.length}` : ""}`;
    csv.disabled = false;
  }

  function show() {
    rows = sortBy(rows, ({ most }) => most?.share ?? null, false);
    const focused = list.contains(document.activeElement) && document.activeElement.title;
    list.replaceChildren(...rows.map(cardOf));
    if (focused) [...list.querySelectorAll("button")].find(({ title }) => title === focused)?.focus();
  }

  function cardOf(row) {
    const { file, src, most, finding, error } = row;
    const name = make("span", { class: "kp-sheet-name" }, file.name);
    if (error) return make("li", {}, make("div", { class: "kp-sheet-card" }, name, make("span", {}, error)));
    const figure = most ? `${formatShare(most.share)}: ${most.a} and ${most.b}` : "–";
    const button = make(
      "button",
      { type: "button", class: "kp-sheet-card", title: file.name },
      make("img", { alt: "", src }),
      name,
      make("b", {}, figure),
      make("span", { title: finding }, finding),
    );
    button.addEventListener("click", () => open(button, file));
    return make("li", {}, button);
  }

  // Gives the photo to the box, as if it alone had been chosen.
  function open(button, file) {
    list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
    give(file);
  }

  function table() {
    const lines = rows.map(({ file, faces, most, finding, error }) => [
      quoted(file.name),
      faces ?? "",
      most ? most.share.toFixed(3) : "",
      ...[most?.a ?? "", most?.b ?? "", error ?? finding].map(quoted),
    ]);
    return [COLUMNS, ...lines].map((cells) => cells.join(",")).join("\r\n");
  }

  function close() {
    run = null;
    rows = [];
    list.replaceChildren();
    sheet.hidden = true;
    document.querySelector("#photo button")?.focus();
  }

  csv.addEventListener("click", () => saveFile("photos-kpdemo.csv", new Blob([table()], { type: "text/csv" })));
  sheet.querySelector('[data-do="close"]').addEventListener("click", close);
  document.addEventListener("kp-photos", ({ detail }) => start(detail));
}
