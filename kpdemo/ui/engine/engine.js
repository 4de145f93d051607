/**
 * The engine in the browser: faces, nets and MediaPipe on a picture that never leaves the device.
 *
 * `base` is the address of a folder with what `kpdemo.models.browser_files` lists, and the runtimes.
 *
 * @typedef {"webgpu" | "wasm"} Backend
 * @typedef {ImageData | ImageBitmapSource} Source
 * @typedef {object} Options
 * @property {string} base
 * @property {string[]} [models] Their names; by default all that the folder has, and MediaPipe.
 * @property {Backend} [backend] By default WebGPU where it is known to work, else WebAssembly.
 * @property {(state: {file: string, loaded: number, total: number}) => void} [progress] Told the file
 *   that is being loaded, and the bytes of all files, those that are there and those to come.
 *
 * @typedef {[any[], number]} Work A model's answers, one or null a face, and the milliseconds that they took.
 */
import { answer, BASELINE, comparison } from "./comparison.js";
import { toPhoto } from "./crop.js";
import { Files, net, ort, vision } from "./files.js";
import { readOwnModel } from "./own_model.js";
import { Service } from "./service.js";

const SETTINGS = "engine.json";

/**
 * What opening the engine would load.
 * @param {Options} options
 * @returns {Promise<{backend: Backend, bytes: number, files: Record<string, number>}>}
 */
export async function size(options) {
  const settings = await read(options.base);
  const backend = options.backend ?? (await pick());
  const paths = names(options, settings)
    .filter((name) => name !== BASELINE)
    .flatMap((name) => Object.values(net(name)));
  const files = [
    ...new Set([...Object.values(ort("wasm")), ...Object.values(ort(backend)), ...Object.values(vision()), ...paths]),
  ];
  const sizes = Object.fromEntries(files.map((path) => [path, settings.files[path]?.bytes ?? 0]));
  return { backend, bytes: Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0), files: sizes };
}

/**
 * Load the models; rejects with one sentence for the user where nothing can run.
 * @param {Options} options
 * @returns {Promise<Engine>}
 */
export async function open(options) {
  const settings = await read(options.base);
  const chosen = names(options, settings);
  const backend = options.backend ?? (await pick());
  const files = new Files(address(options.base), settings.files, options.progress);
  const engine = new Engine(settings, files, backend);
  try {
    await engine.load(chosen);
    if (!options.backend && backend === "webgpu" && chosen.some((name) => engine.unavailable[name])) {
      engine.close();
      return await open({ ...options, backend: "wasm" });
    }
  } catch (error) {
    engine.close();
    throw error;
  }
  return engine;
}

/**
 * A photo file as a picture, upright and in its own colours, as the server reads it.
 * @param {Blob} file
 * @returns {Promise<ImageBitmap>}
 */
export function picture(file) {
  return createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
}

/** Models that are loaded in workers; one photo at a time, the others wait. */
export class Engine {
  /**
   * @param {any} settings
   * @param {Files} files
   * @param {Backend} backend
   */
  constructor(settings, files, backend) {
    this.settings = settings;
    this.files = files;
    this.backend = backend;
    /** @type {Record<string, string>} The models that cannot be used, each with the reason. */
    this.unavailable = {};
    /** @type {Record<string, Service>} */
    this.nets = {};
    this.vision = worker("./vision_worker.js", import.meta.url);
    /** @type {Promise<void> | null} MediaPipe, once it is being loaded. */
    this.seeing = null;
    this.last = Promise.resolve();
    this.followed = Promise.resolve();
  }

  /** The models that can be used, the nets first. */
  get models() {
    return [...Object.keys(this.settings.models).filter((name) => this.nets[name]), BASELINE];
  }

  /**
   * Load MediaPipe, which finds the faces, and these nets. One that cannot be loaded is named in
   * `unavailable`; rejects where MediaPipe cannot.
   * @param {string[]} models
   */
  async load(models) {
    const nets = models.filter((name) => name !== BASELINE);
    this.seeing ??= this.openVision();
    const opened = [this.seeing, ...nets.map((name) => this.openNet(name))];
    await Promise.all(opened);
    this.files.forget();
  }

  /**
   * Add a net of the visitor's own, or replace it; rejects with one sentence where it cannot be used.
   * @param {string} name
   * @param {ArrayBuffer} graph An ONNX file.
   * @param {string} text The JSON file beside it, see `kpdemo/models/external_onnx.py`.
   */
  async add(name, graph, text) {
    const model = readOwnModel(text, this.settings);
    const service = worker("./own_worker.js", import.meta.url);
    try {
      await service.call("open", { runtime: await this.runtime(model.backend), graph, model });
    } catch (error) {
      service.end();
      throw error;
    } finally {
      this.files.forget();
    }
    this.nets[name]?.end();
    this.nets[name] = service;
    this.settings.models[name] = model;
  }

  /**
   * Compare models on a picture. Its faces are searched for unless they are given.
   * @param {Source} source
   * @param {{models?: string[], faces?: import("./crop_rules.js").Face[],
   *   answered?: (result: ReturnType<typeof comparison>) => void}} [options] `answered` is told the result
   *   of the models that have answered so far, one after another.
   * @returns {Promise<ReturnType<typeof comparison>>} The JSON of `Comparison.to_dict()`.
   */
  compare(source, { models = this.models, faces, answered } = {}) {
    return this.turn(() => this.look(source, models, { time: null, faces, answered }));
  }

  /**
   * Compare models on the next frame of a camera, in one pass each, without the mirror image. Faces are
   * searched for around their last places. The next call need not wait for this one: its faces are searched
   * for while the nets predict on these; results come in the order of the calls.
   * @param {Source} frame
   * @param {{models?: string[], expression?: boolean,
   *   answered?: (result: ReturnType<typeof comparison>) => void}} [options] `expression`: also that of the
   *   first face, as `expression` of the result, null without one.
   * @returns {Promise<ReturnType<typeof comparison>>}
   */
  follow(frame, { models = this.models, expression = false, answered } = {}) {
    const result = this.turn((seen) =>
      this.look(frame, models, { time: performance.now(), expression, answered, seen }),
    );
    const ordered = this.followed.then(() => result);
    this.followed = settled(ordered);
    return ordered;
  }

  /** Stop all workers. Nothing of the engine can be used afterwards. */
  close() {
    for (const service of [this.vision, ...Object.values(this.nets)]) service.end();
  }

  /**
   * Work that begins when the work before has ended, or has called the function that it is given.
   * @template T
   * @param {(next: () => void) => Promise<T>} work
   * @returns {Promise<T>}
   */
  turn(work) {
    /** @type {() => void} */
    let next = () => {};
    const passed = new Promise((resolve) => {
      next = () => resolve(undefined);
    });
    const result = this.last.then(() => work(next));
    this.last = Promise.race([passed, settled(result)]);
    return result;
  }

  /**
   * @param {Source} source
   * @param {string[]} models
   * @param {{time: number | null, faces?: import("./crop_rules.js").Face[], expression?: boolean,
   *   answered?: (result: ReturnType<typeof comparison>) => void, seen?: () => void}} options `seen` is
   *   called once only the nets have still to answer.
   */
  async look(source, models, { time, faces: given, expression = false, answered, seen }) {
    const started = performance.now();
    const { usable, unavailable } = this.choose(models);
    const nets = usable.filter((name) => name !== BASELINE);
    const mediapipe = usable.includes(BASELINE);
    const configs = Object.fromEntries(nets.map((name) => [name, this.settings.models[name]]));
    const [message, transfer] = await sendable(source);
    /** @type {(news: any) => void} */
    let tell = () => {};
    const news = new Promise((resolve) => {
      tell = resolve;
    });
    const request = { source: message, faces: given, nets: configs, mediapipe, expression, time };
    const meshes = this.vision.call("look", request, transfer, tell);
    settled(meshes).then(seen);
    const { width, height, faces, facesLeftOut, crops, load, detect } = await Promise.race([news, meshes]);
    /** @type {Record<string, any[]>} */
    const answers = {};
    /** @type {Record<string, number>} */
    const timings = {};
    const result = () => {
      const present = usable.filter((name) => answers[name]);
      const total = performance.now() - started;
      return comparison({
        width,
        height,
        faces,
        facesLeftOut,
        models: usable,
        answers,
        timings: { load, wait: 0, detect, ...Object.fromEntries(present.map((name) => [name, timings[name]])), total },
        unavailable,
        devices: Object.fromEntries(present.map((name) => [name, this.device(name)])),
      });
    };
    // One broken model takes no other down.
    const attempt = async (/** @type {string} */ name, /** @type {() => Promise<Work>} */ work) => {
      try {
        [answers[name], timings[name]] = await work();
      } catch (error) {
        unavailable[name] = `${name} failed on this photo: ${error instanceof Error ? error.message : error}`;
        return;
      }
      answered?.(result());
    };
    if (faces.length) {
      const landmarks = mediapipe ? attempt(BASELINE, async () => landmarked(await meshes)) : null;
      const predict = (/** @type {string} */ name) =>
        attempt(name, () => this.predict(name, crops[name], time !== null));
      // On a photo one net after another, so that none takes another's time.
      if (time === null) for (const name of nets) await predict(name);
      else await Promise.all(nets.map(predict));
      await landmarks;
    }
    return expression ? { ...result(), expression: (await meshes).expression } : result();
  }

  /** @param {string} name */
  device(name) {
    return name === BASELINE ? "wasm" : (this.settings.models[name].backend ?? this.backend);
  }

  /**
   * The usable ones of the models, and why the others are not; an unknown one is an error.
   * @param {string[]} models
   */
  choose(models) {
    const known = [...this.models, ...Object.keys(this.unavailable)];
    const unknown = models.filter((name) => !known.includes(name));
    if (unknown.length) throw new Error(`Unknown model ${unknown.join(", ")}; known are ${known.join(", ")}.`);
    const usable = models.filter((name) => this.models.includes(name));
    /** @type {Record<string, string>} */
    const unavailable = {};
    for (const name of models) if (!usable.includes(name)) unavailable[name] = this.unavailable[name];
    return { usable, unavailable };
  }

  /**
   * @param {string} name
   * @param {{crops: import("./crop.js").Crop[], pixels: Uint8Array, milliseconds: number}} cuts
   * @param {boolean} onePass
   * @returns {Promise<Work>}
   */
  async predict(name, { crops, pixels, milliseconds: cutting }, onePass) {
    const { predictions, milliseconds } = await this.nets[name].call("predict", { pixels, onePass }, [pixels.buffer]);
    const { markup } = this.settings.models[name];
    const answers = predictions.map(
      (
        /** @type {import("./answers.js").Prediction} */ { keypoints, confidence, expectedError },
        /** @type {number} */ face,
      ) => answer(markup, toPhoto(crops[face], keypoints), milliseconds / crops.length, { confidence, expectedError }),
    );
    return [answers, cutting + milliseconds];
  }

  async openVision() {
    const paths = vision();
    const runtime = await this.runtime("wasm");
    const [, , , landmarker, detector, centerface, mesh] = await Promise.all(
      Object.values(paths).map((path) => this.files.get(path)),
    );
    const [module, loader, wasm] = [paths.module, paths.loader, paths.wasm].map((path) => this.files.url(path));
    const models = { landmarker, detector, centerface, mesh };
    await this.vision.call("open", { runtime, vision: { module, loader, wasm }, models, settings: this.settings });
  }

  /** @param {string} name */
  async openNet(name) {
    if (this.nets[name]) return;
    const service = worker("./net_worker.js", import.meta.url);
    try {
      const settings = this.settings.models[name];
      if (!settings) throw new Error("this site does not have it");
      const { mirror } = this.settings.markups[settings.markup];
      const paths = net(name);
      const [runtime, graph, weights] = await Promise.all([
        this.runtime(this.backend),
        this.files.get(paths.graph),
        this.files.get(paths.weights),
      ]);
      await service.call("open", { runtime, backend: this.backend, graph, weights, settings, mirror });
      this.nets[name] = service;
      delete this.unavailable[name];
    } catch (error) {
      service.end();
      this.unavailable[name] = `${name} cannot be used: ${error instanceof Error ? error.message : error}`;
    }
  }

  /** @param {Backend} backend */
  async runtime(backend) {
    const { module, loader, wasm } = ort(backend);
    const [, , binary] = await Promise.all([module, loader, wasm].map((path) => this.files.get(path)));
    return { module: this.files.url(module), folder: this.files.url("runtimes/ort/"), wasm: binary };
  }
}

/** @param {Promise<any>} work */
const settled = (work) =>
  work.then(
    () => {},
    () => {},
  );

/**
 * @param {{meshes: ({keypoints: any, converted: any} | null)[], milliseconds: number}} result
 * @returns {Work} MediaPipe's answers, and the milliseconds that they took.
 */
function landmarked({ meshes, milliseconds }) {
  const answers = meshes.map(
    (mesh) =>
      mesh && answer("mediapipe-478", mesh.keypoints, milliseconds / meshes.length, { converted: mesh.converted }),
  );
  return [answers, milliseconds];
}

/** @param {string} base */
function address(base) {
  return new URL(base.endsWith("/") ? base : `${base}/`, globalThis.document?.baseURI ?? globalThis.location?.href)
    .href;
}

/**
 * @param {string} base
 * @returns {Promise<any>} What the folder says about its models and files.
 */
async function read(base) {
  const response = await fetch(new URL(SETTINGS, address(base))).catch(() => null);
  if (!response?.ok) throw new Error("This site does not have the models for the browser.");
  return response.json();
}

/**
 * @param {Options} options
 * @param {any} settings
 */
function names({ models }, settings) {
  return models ?? [...Object.keys(settings.models), BASELINE];
}

/**
 * @returns {Promise<Backend>} WebGPU on a real adapter; Safari's gives wrong answers at times
 *   (onnxruntime issue 26827).
 */
async function pick() {
  const gpu = /** @type {any} */ (navigator).gpu;
  const safari = /^((?!chrome|android).)*safari/i.test(navigator.userAgent);
  if (!gpu || safari) return "wasm";
  const adapter = await gpu.requestAdapter().catch(() => null);
  return adapter && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter) ? "webgpu" : "wasm";
}

/**
 * @param {string} script
 * @param {string} from
 */
function worker(script, from) {
  return new Service(new Worker(new URL(script, from), { type: "module" }));
}

/**
 * @param {Source} source
 * @returns {Promise<[{bitmap?: ImageBitmap, data?: Uint8ClampedArray, width: number, height: number}, Transferable[]]>}
 */
async function sendable(source) {
  if (source instanceof ImageData) return [{ data: source.data, width: source.width, height: source.height }, []];
  const bitmap = await createImageBitmap(source);
  return [{ bitmap, width: bitmap.width, height: bitmap.height }, [bitmap]];
}
