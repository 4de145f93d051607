// The engine of this browser, which is opened when it is first needed, and only once.

import { open, size } from "../engine/engine.js";

export const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

export class LocalEngine {
  #opening = null; // {models, engine: Promise}

  #listener = () => {};

  // `base` is the address of the folder with models and runtimes.
  constructor(base) {
    this.base = new URL(base, document.baseURI).href;
  }

  // What opening it would load: {backend, bytes}.
  size = (models) => size({ base: this.base, models });

  // Whether the engine with these models is opened, or being opened.
  has = (models) => models.every((name) => this.#opening?.models.includes(name));

  // The engine with at least these models; its error's message is one sentence. `onProgress` gets what is
  // being loaded, in words.
  async get(models, onProgress = () => {}) {
    this.#listener = onProgress;
    if (!this.has(models)) {
      const before = this.#opening;
      const all = [...new Set([...(before?.models ?? []), ...models])];
      this.#opening = { models: all, engine: this.#open(all, before) };
    }
    const opening = this.#opening;
    try {
      return await opening.engine;
    } catch (error) {
      if (this.#opening === opening) this.#opening = null; // the next try starts anew
      throw error;
    }
  }

  async #open(models, before) {
    const last = await before?.engine.catch(() => null);
    last?.close();
    const progress = ({ loaded, total }) => {
      this.#listener(`Loading the models: ${megabytes(loaded)} of ${megabytes(total)}`, loaded / total);
    };
    return open({ base: this.base, models, progress });
  }
}
