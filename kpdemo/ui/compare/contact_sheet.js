// Several photos at once: a strip of them, sorted by the largest distance between two models. It follows
// the choice of models. The photos stay in this page until the sheet is closed.

import { chosenNames } from "../shared/choice.js";
import { make, plural, saveFile, sortBy } from "../shared/common.js";
import { emptyReason } from "./choices.js";
import { Comparison } from "./comparison.js";
import { formatShare, sentence } from "./finding.js";
import { give, look } from "./look.js";
import { cell, nameCell } from "./result_files.js";

const RETRY_DELAY = 500; // milliseconds until the next try when the server has enough to do
const COLUMNS = ["file", "faces", "largest_distance_percent", "model_a", "model_b", "finding", "models"];

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const isInBrowser = () => document.body.matches(".kp-in-browser");

export default function mount({ element, props, server }) {
  const sheet = element.querySelector(".kp-sheet");
  const status = sheet.querySelector("[role=status]");
  const list = sheet.querySelector("ol");
  const [stop, csv, close] = ["stop", "csv", "close"].map((name) => sheet.querySelector(`[data-do="${name}"]`));
  // {file, isLocal, data, comparison, finding, most, error, again}: whether it was chosen for this browser, the
  // answers of its models so far, what they say, or why there are none and whether to try again
  let photos = [];
  let buttons = new Map(); // of the photos that can be opened
  let models = null; // that are ticked, once that has changed
  let shown = null; // the photo whose points are below
  let leftOut = "";
  let run = null; // another one is another object

  const chosen = () => models ?? chosenNames();
  const missing = ({ data }) =>
    data?.faces.length === 0 ? [] : chosen().filter((name) => !data?.models.includes(name));
  // What was chosen for this browser is not sent to the server.
  const isWaiting = ({ isLocal }) => isLocal && !isInBrowser();
  const isUnfinished = (photo) => !photo.error && missing(photo).length > 0;

  // The panels' value with those of further models, in the order of all models, the baseline first.
  function merge(data, more) {
    const panels = [...(data?.panels ?? []), ...more.panels.filter(({ name }) => !data?.models.includes(name))];
    const place = ({ name, baseline }) => (baseline ? -1 : props.names.indexOf(name) + 1 || Infinity);
    return {
      ...more,
      models: [...new Set([...(data?.models ?? []), ...more.models])],
      markups: { ...data?.markups, ...more.markups },
      panels: sortBy(panels, place, true),
    };
  }

  // What is found on a photo, and which of the chosen models lie farthest apart.
  function summarize(photo) {
    const { comparison, data } = photo;
    if (!data) return;
    comparison.choose(new Set(chosen()));
    const facts = comparison.facts();
    const apart = facts.pairs.filter(({ share }) => share !== null);
    photo.most = apart.length ? apart.reduce((one, two) => (two.share > one.share ? two : one)) : null;
    photo.finding = sentence(facts) || emptyReason(data);
  }

  // Compares a photo by the chosen models that have not answered on it.
  async function compare(photo) {
    if (photo.file.size > props.most) {
      photo.error = props.too_large;
      return;
    }
    try {
      const answer = await look(server, photo.file, missing(photo));
      if (!answer) throw new Error("the server does not answer");
      if (answer.busy) await pause(RETRY_DELAY);
      else if (answer.error) Object.assign(photo, { error: answer.error, again: Boolean(photo.data) });
      else {
        photo.data = merge(photo.data, JSON.parse(answer.panels));
        photo.comparison = new Comparison(photo.data);
        summarize(photo);
      }
    } catch (error) {
      photo.error = `This photo could not be compared (${error.message ?? error}).`;
      photo.again = true;
    }
  }

  // Compares all that is missing, photo by photo, until it is stopped.
  async function proceed() {
    const own = {};
    run = own;
    for (;;) {
      const photo = photos.find((each) => isUnfinished(each) && !isWaiting(each));
      if (!photo) break;
      tell();
      await compare(photo);
      show();
      if (run !== own) return;
    }
    run = null;
    tell();
  }

  function retry() {
    for (const photo of photos.filter(({ again }) => again)) Object.assign(photo, { error: "", again: false });
    proceed();
  }

  function tell() {
    const all = photos.length;
    const rest = photos.filter((photo) => photo.again || isUnfinished(photo)).length;
    const done = `${all - rest} of ${plural(all, "photo")} compared`;
    if (run) status.textContent = `${done} …`;
    else if (!rest) status.textContent = `${plural(all, "photo")} compared${leftOut}`;
    else status.textContent = photos.some(isWaiting) ? `${done}; the rest in this browser only` : `Stopped: ${done}`;
    csv.disabled = Boolean(run);
    stop.textContent = run ? "Stop" : "Go on";
    stop.hidden = !run && !rest;
  }

  function start(files) {
    photos = files.slice(0, props.photos).map((file) => ({ file, isLocal: isInBrowser(), error: "" }));
    leftOut = files.length > photos.length ? `, the first of ${files.length}` : "";
    shown = null;
    sheet.hidden = false;
    show();
    sheet.scrollIntoView({ block: "nearest" });
    proceed();
  }

  // Models that are not chosen any more are hidden at once.
  function follow(names) {
    models = names;
    if (sheet.hidden) return;
    photos.forEach(summarize);
    show();
    if (!run) retry();
  }

  const rows = () =>
    sortBy(
      photos.filter(({ data, error }) => data || error),
      ({ most }) => most?.share ?? null,
      false,
    );

  function show() {
    const [focused] = [...buttons].find(([, button]) => button === document.activeElement) ?? [];
    buttons = new Map();
    list.replaceChildren(...rows().map(cardOf));
    buttons.get(focused)?.focus({ preventScroll: true });
    tell();
  }

  function cardOf(photo) {
    const { file, data, most, error } = photo;
    const name = make("span", { class: "kp-sheet-name" }, file.name);
    if (!data) return make("li", {}, make("div", { class: "kp-sheet-card" }, name, make("span", {}, error)));
    const figure = most ? `${formatShare(most.share)}: ${most.a} and ${most.b}` : "–";
    const finding = error || photo.finding;
    const button = make(
      "button",
      { type: "button", class: "kp-sheet-card", title: file.name },
      make("img", { alt: "", src: data.src }),
      name,
      make("b", {}, figure),
      make("span", { title: finding }, finding),
    );
    if (photo === shown) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => open(photo));
    buttons.set(photo, button);
    return make("li", {}, button);
  }

  // Gives the photo to the box, as if it alone had been chosen.
  function open(photo) {
    shown = photo;
    show();
    if (!isWaiting(photo)) give(photo.file);
  }

  function table() {
    const lines = rows().map(({ file, comparison, most, finding, error }) =>
      [
        nameCell(file.name),
        comparison?.data.faces.length,
        most?.share.toFixed(3),
        most?.a,
        most?.b,
        error || finding,
        comparison?.panels.map(({ title }) => title).join("; "),
      ].map(cell),
    );
    return [COLUMNS, ...lines].map((cells) => cells.join(",")).join("\r\n");
  }

  csv.addEventListener("click", () => saveFile("photos-kpdemo.csv", new Blob([table()], { type: "text/csv" })));
  stop.addEventListener("click", () => {
    if (!run) return retry();
    run = null;
    tell();
  });
  close.addEventListener("click", () => {
    photos = [];
    run = null;
    show();
    sheet.hidden = true;
    document.querySelector("#photo :is(button, input)")?.focus();
  });
  document.addEventListener("kp-models", ({ detail }) => follow(detail));
  document.addEventListener("kp-photos", ({ detail }) => start(detail));
}
