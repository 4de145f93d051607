/**
 * What the JSON file beside a visitor's own ONNX file says; `kpdemo/models/external_onnx.py`.
 *
 * @typedef {object} Input
 * @property {number} height
 * @property {number} width
 * @property {1 | 3} channels
 * @property {number[]} mean One number, or one a channel, for pixels of 0 to 1.
 * @property {number[]} std
 *
 * @typedef {object} OwnModel
 * @property {string} markup
 * @property {number} count Of its points.
 * @property {Input} input
 * @property {{reference: string, scale: number}} framing
 * @property {"crop" | "unit" | "pixels"} coordinates
 * @property {"wasm"} backend
 */
const KEYS = ["markup", "input", "crop", "coordinates"];
const COORDINATES = ["crop", "unit", "pixels"];

/**
 * @param {string} text
 * @param {{markups: Record<string, {mirror: number[]}>, crop_rules: Record<string, object>}} settings The engine's.
 * @returns {OwnModel} Throws one sentence for the visitor.
 */
export function readOwnModel(text, settings) {
  const { markup, input, crop = {}, coordinates = "crop", ...rest } = parse(text);
  const [unknown] = Object.keys(rest);
  if (unknown) throw new Error(`The .json has an unknown setting ${unknown}; known are ${KEYS.join(", ")}.`);
  const { reference = "keypoint-box", scale = 1 } = crop;
  check(markup in settings.markups, `markup is one of ${Object.keys(settings.markups).join(", ")}`);
  check(COORDINATES.includes(coordinates), `coordinates are one of ${COORDINATES.join(", ")}`);
  check(reference in settings.crop_rules, `crop.reference is one of ${Object.keys(settings.crop_rules).join(", ")}`);
  check(scale > 0, "crop.scale is a number above 0");
  return {
    markup,
    count: settings.markups[markup].mirror.length,
    input: readInput(input ?? {}),
    framing: { reference, scale },
    coordinates,
    backend: "wasm",
  };
}

/** @param {string} text */
function parse(text) {
  try {
    return { ...JSON.parse(text) };
  } catch {
    throw new Error("The .json is damaged; it says the net's markup, input and crop.");
  }
}

/**
 * @param {Partial<Input>} input
 * @returns {Input}
 */
function readInput({ height, width, channels = 3, mean = [0], std = [1] }) {
  const isSide = (/** @type {any} */ side) => Number.isInteger(side) && side > 0;
  if (!isSide(height) || !isSide(width) || !height || !width) throw said("input has a height and a width in pixels");
  if (channels !== 1 && channels !== 3) throw said("input.channels are 1 (grey) or 3 (RGB)");
  const fits = (/** @type {any} */ all) =>
    Array.isArray(all) && [1, channels].includes(all.length) && all.every(Number.isFinite);
  check(fits(mean) && fits(std) && Math.min(...std) > 0, "mean and std have one number, or one for each channel");
  return { height, width, channels, mean, std };
}

/** @param {string} rule */
const said = (rule) => new Error(`The .json does not fit: ${rule}.`);

/**
 * @param {boolean} isRight
 * @param {string} rule
 */
function check(isRight, rule) {
  if (!isRight) throw said(rule);
}
