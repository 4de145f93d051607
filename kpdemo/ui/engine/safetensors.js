/**
 * @typedef {{shape: number[], values: Float32Array}} Tensor
 */

/**
 * The float tensors of a safetensors file that are named, or all of them.
 * @param {ArrayBuffer} file
 * @param {string[]} [names]
 * @returns {Record<string, Tensor>}
 */
export function read(file, names) {
  const view = new DataView(file);
  const size = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 8, size)));
  /** @type {Record<string, Tensor>} */
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (!["F16", "F32"].includes(dtype) || (names && !names.includes(name))) continue;
    const start = 8 + size + offsets[0];
    const bytes = file.slice(start, 8 + size + offsets[1]);
    const values = dtype === "F32" ? new Float32Array(bytes) : halves(new Uint16Array(bytes));
    tensors[name] = { shape, values };
  }
  return tensors;
}

/**
 * @param {Uint16Array} bits Numbers in half precision.
 * @returns {Float32Array}
 */
function halves(bits) {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
  });
}
