/** A visitor's own net in a worker of its own: crops in, points out; `kpdemo/models/external_onnx.py`. */
import { serve } from "./service.js";
import { ERRORS, start } from "./session.js";

const FACES = 8; // at a time, where the net takes any number

/** @type {any} */
let ort;
/** @type {any} */
let session;
/** @type {import("./own_model.js").OwnModel} */
let model;
/** @type {number | null} The number of faces that the net takes, null for any. */
let fixed;

serve({
  /** Load the net and run it once; rejects with one sentence where it does not fit. */
  async open({ runtime, graph, model: settings }) {
    ort = await start(runtime);
    model = settings;
    const options = { executionProviders: ["wasm"], logSeverityLevel: ERRORS };
    session = await ort.InferenceSession.create(new Uint8Array(graph), options).catch((/** @type {any} */ error) => {
      throw new Error(`The .onnx cannot be used (${line(error)}); export it as one file.`);
    });
    const [{ shape }] = session.inputMetadata;
    fixed = typeof shape[0] === "number" && shape[0] > 0 ? shape[0] : null;
    const { width, height, channels } = model.input;
    const numbers = await run(new Uint8Array(width * height * channels)).catch((/** @type {any} */ error) => {
      throw new Error(`The .onnx cannot be run: ${line(error)}.`);
    });
    const wanted = 2 * model.count * (fixed ?? 1);
    if (numbers.length !== wanted) {
      const found = numbers.length / (fixed ?? 1);
      throw new Error(`The .onnx gives ${found} numbers for a face, and ${model.markup} has ${2 * model.count}.`);
    }
  },

  /** Predict on crops `(F, H, W, C)`. */
  async predict({ pixels }) {
    const started = performance.now();
    const { width, height, channels } = model.input;
    const size = width * height * channels;
    const batch = fixed ?? FACES;
    const predictions = [];
    for (let at = 0; at < pixels.length; at += batch * size) {
      const part = pixels.subarray(at, at + batch * size);
      const numbers = await run(part);
      for (let face = 0; face < part.length / size; face += 1)
        predictions.push({ keypoints: points(numbers, face), confidence: null, expectedError: null });
    }
    return { predictions, milliseconds: performance.now() - started };
  },
});

/**
 * @param {Uint8Array} pixels Of some crops; empty ones are added where the net takes more.
 * @returns {Promise<ArrayLike<number>>} The first output.
 */
async function run(pixels) {
  const { width, height, channels, mean, std } = model.input;
  const area = width * height;
  const count = pixels.length / (area * channels);
  const planes = new Float32Array((fixed ?? count) * channels * area);
  for (let face = 0; face < count; face += 1)
    for (let c = 0; c < channels; c += 1) {
      const [shift, scale] = [mean[c] ?? mean[0], std[c] ?? std[0]];
      const to = (face * channels + c) * area;
      for (let k = 0; k < area; k += 1)
        planes[to + k] = (pixels[(face * area + k) * channels + c] / 255 - shift) / scale;
    }
  const input = new ort.Tensor("float32", planes, [fixed ?? count, channels, height, width]);
  const outputs = await session.run({ [session.inputNames[0]]: input });
  return outputs[session.outputNames[0]].data;
}

/**
 * @param {ArrayLike<number>} numbers
 * @param {number} face
 * @returns {import("./crop.js").Point[]} Its points in crop coordinates.
 */
function points(numbers, face) {
  const { width, height } = model.input;
  const read = {
    crop: (/** @type {number} */ value) => value,
    unit: (/** @type {number} */ value) => 2 * value - 1,
    pixels: (/** @type {number} */ value, /** @type {number} */ side) => (2 * value + 1) / side - 1,
  }[model.coordinates];
  return Array.from({ length: model.count }, (_, k) => {
    const at = 2 * (face * model.count + k);
    return [read(numbers[at], width), read(numbers[at + 1], height)];
  });
}

/** @param {any} error */
function line(error) {
  return String(error?.message ?? error)
    .replace(/\s+/g, " ")
    .slice(0, 200)
    .replace(/[. ]+$/, "");
}
