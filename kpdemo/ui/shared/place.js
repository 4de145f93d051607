// Where the models run on the page with a server, which is the visitor's choice: there, or in this browser.

import { make } from "./common.js";
import { localEngine, megabytes } from "./local_engine.js";

const TITLES = { browser: "In this browser", server: "On the server" };
const OWN_MACHINE = /^(localhost|127(\.\d+){3}|\[::1\])$/;

export const isOwnMachine = (host = location.hostname) => OWN_MACHINE.test(host);

export class Place {
  // Fills the `.kp-place` of `element`, and says in its `.kp-place-why` why it is so by default. `local` has the
  // address of the engine's files, or why there are none; `action` is what loads the `models` that are ticked,
  // `limits` what the browser leaves out. `onChange` is called when the visitor changes the choice.
  constructor(element, { name, local, initial, reason, action, limits = "", models, onChange }) {
    Object.assign(this, { reason, action, limits, models });
    this.why = element.querySelector(".kp-place-why");
    this.chosen = "server";
    if (!local.base || !globalThis.WebAssembly) {
      this.why.textContent = `The models run on the server. ${local.missing ?? "This browser has no WebAssembly to run them in."}`;
      return;
    }
    this.local = localEngine(local.base);
    this.radios = Object.keys(TITLES).map((value) => make("input", { type: "radio", name, value }));
    for (const radio of this.radios) {
      radio.addEventListener("change", () => {
        this.chosen = radio.value;
        this.explain();
        onChange();
      });
    }
    const field = element.querySelector(".kp-place");
    const labels = this.radios.map((radio) => make("label", {}, radio, ` ${TITLES[radio.value]}`));
    field.replaceChildren(make("legend", { class: "kp-spoken" }, "Where the models run"), ...labels);
    field.hidden = false;
    this.choose(initial);
  }

  get isBrowser() {
    return this.chosen === "browser";
  }

  choose(value) {
    this.chosen = value;
    for (const radio of this.radios) radio.checked = radio.value === value;
  }

  // Says why it is so by default, what would be loaded, and what the browser leaves out.
  async explain() {
    if (!this.local) return;
    const say = (...sentences) => {
      this.why.textContent = [this.reason, ...sentences].filter(Boolean).join(" ");
    };
    if (!this.isBrowser) return say();
    say(this.limits);
    if (this.local.has(this.models())) return;
    const { bytes } = await this.local.size(this.models()).catch(() => ({}));
    if (bytes && this.isBrowser) say(`${this.action} loads ${megabytes(bytes)} once.`, this.limits);
  }

  // Chooses the server where the browser failed; whether that makes a difference.
  recover() {
    if (!this.isBrowser) return false;
    this.choose("server");
    this.explain();
    return true;
  }
}
