/** One net in a worker of its own: crops in, predictions out. */
import { predictions } from "./answers.js";
import { read } from "./safetensors.js";
import { serve } from "./service.js";
import { ERRORS, start } from "./session.js";

const CALIBRATION = "calibration";
const WEIGHTS = "model.safetensors";
// Faces at a time.
const FACES = 8;

/** @type {any} */
let ort;
/** @type {any} */
let session;
/** @type {any} */
let config;
/** @type {import("./answers.js").Settings} */
let settings;

serve({
  /** Load the net and run it once, so that the first photo's times are representative. */
  async open({ runtime, backend, graph, weights, settings: model, mirror }) {
    ort = await start(runtime);
    config = model;
    const { [CALIBRATION]: calibration } = read(weights, [CALIBRATION]);
    settings = {
      mirror,
      flipTest: model.flip_test,
      calibration: calibration?.values ?? null,
      expectedError: model.expected_error,
    };
    session = await ort.InferenceSession.create(new Uint8Array(graph), {
      executionProviders: [backend],
      logSeverityLevel: ERRORS,
      externalData: [{ path: WEIGHTS, data: new Uint8Array(weights) }],
    });
    const { width, height, channels } = model.input;
    await predict(new Uint8Array(width * height * channels), true);
  },

  /** Predict on crops `(F, H, W, C)`; in one pass instead of two, without the mirror images. */
  async predict({ pixels, onePass }) {
    const started = performance.now();
    const size = config.input.width * config.input.height * config.input.channels;
    const answers = [];
    for (let at = 0; at < pixels.length; at += FACES * size)
      answers.push(...(await predict(pixels.subarray(at, at + FACES * size), !onePass)));
    return { predictions: answers, milliseconds: performance.now() - started };
  },
});

/**
 * @param {Uint8Array} pixels
 * @param {boolean} twice Also on the crops' mirror images.
 */
async function predict(pixels, twice) {
  const { width, height, channels } = config.input;
  const count = pixels.length / (width * height * channels);
  const pictures = twice ? 2 * count : count;
  const planes = new Float32Array(pictures * channels * height * width);
  let to = 0;
  for (let picture = 0; picture < pictures; picture += 1) {
    const start = (picture % count) * height * width;
    for (let c = 0; c < channels; c += 1)
      for (let y = 0; y < height; y += 1)
        for (let x = 0; x < width; x += 1, to += 1) {
          const column = picture < count ? x : width - 1 - x;
          planes[to] = pixels[(start + y * width + column) * channels + c];
        }
  }
  const input = new ort.Tensor("float32", planes, [pictures, channels, height, width]);
  const { keypoints, heatmaps } = await session.run({ pixels: input });
  const [rows, columns] = heatmaps ? heatmaps.dims.slice(2) : [0, 0];
  const output = { keypoints: keypoints.data, heatmaps: heatmaps?.data ?? null, height: rows, width: columns };
  return predictions(output, count, settings);
}
