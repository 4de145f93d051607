// A link to the tools' current settings. The address never holds anything of the photo.

const MESSAGE_TIME = 6000; // milliseconds
const OWN = /~[0-9a-f]{24}$/; // the name of a visitor's own model, which is nobody else's

export class Settings {
  // `state` is that of panels.js; `selects` are by their names in the address, `layers` are checkboxes.
  // `onRestore` is called after the tools have been set as an address says.
  constructor({ state, tools, layers, overlay, selects, defaultMode, status, onRestore }) {
    Object.assign(this, { state, tools, layers, overlay, selects, defaultMode, status, onRestore });
    this.invitation = status.textContent;
    addEventListener("hashchange", () => this.restore());
  }

  #link() {
    const names = this.state.panels.map((panel) => panel.name);
    const settings = { models: names.filter((name) => !OWN.test(name)).join() };
    for (const box of this.layers) {
      if (box.checked !== box.defaultChecked) settings[box.name] = Number(box.checked);
    }
    const mode = this.tools.querySelector("[name=mode]:checked").value;
    if (mode !== this.defaultMode) settings.mode = mode;
    if (this.overlay.off.size) settings.off = [...this.overlay.off].join();
    const { a, b, reference } = this.selects;
    if (mode === "slide") Object.assign(settings, { a: a.value, b: b.value });
    if (reference.selectedIndex > 0) settings.reference = reference.value;
    return Object.entries(settings)
      .map(([name, text]) => `${name}=${encodeURI(text)}`)
      .join("&");
  }

  // Whether the address names models.
  get isLink() {
    return new URLSearchParams(location.hash.slice(1)).has("models");
  }

  // Sets the tools as the address says, if it names models.
  restore() {
    if (!this.isLink) return;
    const settings = new URLSearchParams(location.hash.slice(1));
    for (const box of this.layers) {
      box.checked = settings.has(box.name) ? settings.get(box.name) === "1" : box.defaultChecked;
    }
    for (const [name, select] of Object.entries(this.selects)) select.dataset.preference = settings.get(name) ?? "";
    this.overlay.off = new Set((settings.get("off") ?? "").split(",").filter(Boolean));
    const modes = [...this.tools.querySelectorAll("[name=mode]")];
    const wanted = modes.find(({ value }) => value === settings.get("mode"));
    (wanted ?? modes.find(({ value }) => value === this.defaultMode)).checked = true;
    this.onRestore();
  }

  async copy() {
    history.replaceState(null, "", `#${this.#link()}`);
    try {
      await navigator.clipboard.writeText(location.href);
      this.say("copied: models, layers and arrangement, never the photo");
    } catch {
      this.say("now in the address bar: copy it there; the photo is not in it");
    }
  }

  say(words) {
    this.status.textContent = words;
    setTimeout(() => {
      this.status.textContent = this.invitation;
    }, MESSAGE_TIME);
  }
}
