// Where the models run on the page with a server: there, or in this browser.

import { LocalEngine, megabytes } from "../shared/local_engine.js";
import { localSource } from "./local.js";

const QUALITY = 0.85;

const serverSource = (server) => ({
  expressions: true,
  prepare: async () => {},
  look: ({ frame, ...more }) => server.look({ ...more, picture: frame.toDataURL("image/jpeg", QUALITY) }),
});

// The visitor's choice. `onChange` is called when they change it; `models` are those that are ticked.
export class Where {
  constructor(element, { local, catalogue, gpu }, server, { onChange, models }) {
    this.radios = [...element.querySelectorAll("[name=live-where]")];
    this.why = element.querySelector(".kp-live-why");
    this.models = models; // a function, which is there once the page has been laid out
    this.sources = { server: serverSource(server) };
    if (!local.base || !globalThis.WebAssembly) {
      this.why.textContent = `The models run on the server. ${local.missing ?? "This browser has no WebAssembly to run them in."}`;
      return;
    }
    this.local = new LocalEngine(local.base);
    this.sources.browser = localSource(this.local, catalogue);
    this.reason = gpu
      ? "On the server by default, which has a GPU."
      : "In this browser by default: the server has no GPU for it, and no frame leaves your device.";
    this.#select(gpu ? "server" : "browser");
    element.querySelector(".kp-live-where").hidden = false;
    for (const radio of this.radios) {
      radio.addEventListener("change", () => {
        this.explain();
        onChange();
      });
    }
  }

  get #chosen() {
    return this.sources.browser ? this.radios.find(({ checked }) => checked).value : "server";
  }

  // Where frames are computed: what prepares the models, and looks at frames.
  get source() {
    return this.sources[this.#chosen];
  }

  #select(value) {
    for (const radio of this.radios) radio.checked = radio.value === value;
  }

  // Says why it is so by default, and what would be loaded.
  async explain() {
    if (!this.sources.browser) return;
    this.why.textContent = this.reason;
    if (this.#chosen !== "browser" || this.local.has(this.models())) return;
    const { bytes } = await this.local.size(this.models()).catch(() => ({}));
    if (bytes) this.why.textContent = `${this.reason} Start camera loads ${megabytes(bytes)} once.`;
  }

  // Goes on with the server if the browser failed; whether that makes a difference.
  recover() {
    if (this.#chosen !== "browser") return false;
    this.#select("server");
    return true;
  }
}
