// The bar that says, for the point in question, how far every model lies from the reference.

import { make } from "../shared/common.js";

const SCALE = 5; // percent at the end of a bar, at least
const PAUSE = 400; // milliseconds without another point until screen readers hear of one

export class Inspector {
  #timer = 0;

  constructor(element, status) {
    Object.assign(this, { element, status });
  }

  // `rows` are of a model each: its name, title and color, its `share` in percent or null, a `text`
  // for the figure and a `note` on it, with its `pixels` where there is room.
  show(title, meaning, rows) {
    const end = Math.max(SCALE, ...rows.map(({ share }) => share ?? 0));
    const items = rows.map(({ name, title: model, color, share, text, note, pixels }) =>
      make(
        "li",
        { "data-model": name, style: `--model: ${color}; --share: ${(share ?? 0) / end}` },
        make("span", { class: "kp-who" }, model),
        make("span", { class: "kp-bar", "aria-hidden": "true" }),
        make("span", { class: "kp-figure" }, text),
        make("span", { class: "kp-note" }, note, make("span", { class: "kp-note-pixels" }, pixels)),
      ),
    );
    this.element.replaceChildren(
      make("p", {}, make("b", {}, title), " ", make("span", { class: "kp-faint" }, meaning)),
      make("ul", {}, ...items),
    );
  }

  announce(words) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.status.textContent = words;
    }, PAUSE);
  }
}
