/**
 * The engine's files: fetched once, counted while they come, and checked.
 *
 * @typedef {Record<string, {bytes: number, sha256: string}>} Sizes
 */

const RUNTIMES = {
  wasm: ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"],
  webgpu: ["ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs", "ort-wasm-simd-threaded.asyncify.wasm"],
};
const VISION = ["vision_bundle.mjs", "vision_wasm_module_internal.js", "vision_wasm_module_internal.wasm"];
const LANDMARKER = "mediapipe/face_landmarker.task";
const DETECTOR = "mediapipe/face_detector.tflite";
const CENTERFACE = "mediapipe/centerface.onnx";
const MESH = "mesh_to_ibug.safetensors";

/**
 * ONNX Runtime's module, its loader and its WebAssembly.
 * @param {"wasm" | "webgpu"} backend
 */
export function ort(backend) {
  const [module, loader, wasm] = RUNTIMES[backend].map((name) => `runtimes/ort/${name}`);
  return { module, loader, wasm };
}

/** MediaPipe's module, loader, WebAssembly and models, CenterFace's model, and the map of the mesh. */
export function vision() {
  const [module, loader, wasm] = VISION.map((name) => `runtimes/vision/${name}`);
  return { module, loader, wasm, landmarker: LANDMARKER, detector: DETECTOR, centerface: CENTERFACE, mesh: MESH };
}

/**
 * A net's graph and weights.
 * @param {string} model
 */
export function net(model) {
  return { graph: `models/${model}/model.onnx`, weights: `models/${model}/model.safetensors` };
}

/** Files below a base address. Each is fetched once, and kept until it is forgotten. */
export class Files {
  /**
   * @param {string} base
   * @param {Sizes} sizes
   * @param {(state: {file: string, loaded: number, total: number}) => void} [progress]
   */
  constructor(base, sizes, progress) {
    this.base = base;
    this.sizes = sizes;
    this.progress = progress;
    this.loaded = 0;
    this.total = 0;
    /** @type {Map<string, Promise<ArrayBuffer>>} */
    this.fetched = new Map();
  }

  /**
   * @param {string} path
   * @returns {string} Its address.
   */
  url(path) {
    return new URL(path, this.base).href;
  }

  /**
   * @param {string} path
   * @returns {Promise<ArrayBuffer>} Its bytes; rejects with one sentence.
   */
  get(path) {
    const known = this.fetched.get(path);
    if (known) return known;
    this.total += this.sizes[path]?.bytes ?? 0;
    const bytes = this.fetch(path);
    this.fetched.set(path, bytes);
    // Another try may succeed.
    bytes.catch(() => this.fetched.delete(path));
    return bytes;
  }

  /** Free the memory of all files. */
  forget() {
    this.fetched.clear();
  }

  /** @param {string} path */
  async fetch(path) {
    const expected = this.sizes[path];
    if (!expected) throw new Error(`${path} is missing on this site.`);
    const bytes = new Uint8Array(expected.bytes);
    let count = 0;
    const response = await fetch(this.url(path)).catch(() => null);
    if (!response?.ok || !response.body) throw new Error(`${path} could not be loaded; reload the page.`);
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (done || !value || count + value.length > bytes.length) {
        if (!done) count = -1;
        break;
      }
      bytes.set(value, count);
      count += value.length;
      this.loaded += value.length;
      this.progress?.({ file: path, loaded: this.loaded, total: this.total });
    }
    if (count !== bytes.length || !(await genuine(bytes, expected.sha256)))
      throw new Error(`${path} did not arrive whole; reload the page.`);
    return bytes.buffer;
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} sha256
 * @returns {Promise<boolean>} Whether they have that digest, where the browser can tell.
 */
async function genuine(bytes, sha256) {
  // Only pages that come by HTTPS or from this machine may compute digests.
  if (!globalThis.crypto?.subtle) return true;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("") === sha256;
}
