// The engine of this browser, which is opened when it is first needed, and only once.

import { BASELINE } from "../engine/comparison.js";
import { open, size } from "../engine/engine.js";

export const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

const engines = new Map();

// The page's engine with the files of that folder, the same for all tabs.
export function localEngine(base) {
  if (!engines.has(base)) engines.set(base, new LocalEngine(base));
  return engines.get(base);
}

export class LocalEngine {
  #models = []; // those that are loaded, or being loaded
  #engine = null; // a promise
  #listener = () => {};

  // `base` is the address of the folder with models and runtimes.
  constructor(base) {
    this.base = new URL(base, document.baseURI).href;
  }

  // What these models would have to load: {backend, bytes}.
  async size(models) {
    const { backend, files } = await size({ base: this.base, models });
    const loaded = this.#models.length ? (await size({ base: this.base, models: this.#models })).files : {};
    const rest = Object.entries(files).filter(([path]) => !(path in loaded));
    return { backend, bytes: rest.reduce((sum, [, bytes]) => sum + bytes, 0) };
  }

  // Whether these models are loaded, or being loaded.
  has = (models) => models.every((name) => this.#models.includes(name));

  // The engine with at least these models; its error's message is one sentence. `onProgress` gets what is
  // being loaded, in words, and how much of it is there, from 0 to 1.
  async get(models, onProgress = () => {}) {
    this.#listener = onProgress;
    if (!this.has(models)) {
      this.#models = [...new Set([...this.#models, ...models])];
      this.#engine = this.#engine?.then((engine) => engine.load(models).then(() => engine)) ?? this.#open(models);
    }
    const engine = this.#engine;
    try {
      return await engine;
    } catch (error) {
      // The next try starts anew.
      if (this.#engine === engine) [this.#engine, this.#models] = [null, []];
      throw error;
    }
  }

  // Adds a net of the visitor's own: an ONNX file's bytes, and the text of the JSON file beside it.
  async add(name, graph, text, onProgress) {
    const engine = await this.get([BASELINE], onProgress);
    await engine.add(name, graph, text);
    this.#models.push(name);
  }

  #open(models) {
    const progress = ({ loaded, total }) => {
      this.#listener(`Loading the models: ${megabytes(loaded)} of ${megabytes(total)}`, loaded / total);
    };
    return open({ base: this.base, models, progress });
  }
}
