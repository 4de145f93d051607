/**
 * Pictures as plain numbers, and what OpenCV does with them on the server.
 *
 * @typedef {object} Picture
 * @property {Uint8Array} data Rows of pixels, 1 (grey) or 3 (RGB) values each.
 * @property {number} width
 * @property {number} height
 * @property {1 | 3} channels
 */

/**
 * @param {number} width
 * @param {number} height
 * @param {1 | 3} channels
 * @returns {Picture} A black picture.
 */
export function black(width, height, channels) {
  return { data: new Uint8Array(width * height * channels), width, height, channels };
}

/**
 * @param {ArrayLike<number>} rgba Opaque pixels of an `ImageData`.
 * @param {number} width
 * @param {number} height
 * @returns {Picture} RGB.
 */
export function fromRgba(rgba, width, height) {
  const picture = black(width, height, 3);
  for (let from = 0, to = 0; to < picture.data.length; from += 4, to += 3) {
    picture.data[to] = rgba[from];
    picture.data[to + 1] = rgba[from + 1];
    picture.data[to + 2] = rgba[from + 2];
  }
  return picture;
}

/**
 * @param {Picture} picture RGB.
 * @returns {Uint8ClampedArray<ArrayBuffer>} Opaque pixels for an `ImageData`.
 */
export function toRgba({ data, width, height }) {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba[to] = data[from];
    rgba[to + 1] = data[from + 1];
    rgba[to + 2] = data[from + 2];
  }
  return rgba;
}

/**
 * @param {Picture} picture RGB.
 * @returns {Picture} Grey, in OpenCV's fixed-point arithmetic.
 */
export function grey({ data, width, height }) {
  const result = black(width, height, 1);
  for (let from = 0, to = 0; to < result.data.length; from += 3, to += 1)
    result.data[to] = (9798 * data[from] + 19235 * data[from + 1] + 3735 * data[from + 2] + 16384) >> 15;
  return result;
}

/**
 * @param {Picture} picture
 * @returns {Picture} Its mirror image.
 */
export function mirrored({ data, width, height, channels }) {
  const result = black(width, height, channels);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      for (let c = 0; c < channels; c += 1)
        result.data[(y * width + x) * channels + c] = data[(y * width + width - 1 - x) * channels + c];
  return result;
}

/**
 * A rectangle of a picture on black ground; what lies outside the picture is black.
 * @param {Picture} picture
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 * @returns {Picture}
 */
export function part(picture, left, top, width, height) {
  const { data, channels } = picture;
  const result = black(width, height, channels);
  const first = Math.max(0, left);
  const last = Math.min(picture.width, left + width);
  for (let y = Math.max(0, top); y < Math.min(picture.height, top + height); y += 1) {
    const row = data.subarray((y * picture.width + first) * channels, (y * picture.width + last) * channels);
    result.data.set(row, ((y - top) * width + first - left) * channels);
  }
  return result;
}

/**
 * Shrink a picture: each pixel is the mean of the area that it covers (OpenCV's INTER_AREA).
 * @param {Picture} picture
 * @param {number} width At most the picture's.
 * @param {number} height At most the picture's.
 * @returns {Picture}
 */
export function shrunk(picture, width, height) {
  if (width === picture.width && height === picture.height) return picture;
  if (2 * width === picture.width && 2 * height === picture.height) return halved(picture);
  const { data, channels } = picture;
  const columns = shares(picture.width, width);
  const rows = shares(picture.height, height);
  const result = black(width, height, channels);
  const sums = new Float64Array(width * channels);
  for (let y = 0; y < height; y += 1) {
    sums.fill(0);
    rows[y].weights.forEach((down, j) => {
      const row = (rows[y].first + j) * picture.width;
      for (let x = 0; x < width; x += 1) {
        const { first, weights } = columns[x];
        for (let i = 0; i < weights.length; i += 1) {
          const weight = down * weights[i];
          const from = (row + first + i) * channels;
          for (let c = 0; c < channels; c += 1) sums[x * channels + c] += weight * data[from + c];
        }
      }
    });
    for (let k = 0; k < sums.length; k += 1) result.data[y * sums.length + k] = halfEven(sums[k]);
  }
  return result;
}

/**
 * @param {Picture} picture With an even width and height.
 * @returns {Picture} Half as wide and high; OpenCV rounds means of four pixels half up.
 */
function halved({ data, width, height, channels }) {
  const result = black(width / 2, height / 2, channels);
  const row = width * channels;
  for (let y = 0, to = 0; y < height; y += 2)
    for (let x = 0; x < width; x += 2) {
      const from = y * row + x * channels;
      for (let at = from; at < from + channels; at += 1, to += 1)
        result.data[to] = (data[at] + data[at + channels] + data[at + row] + data[at + row + channels] + 2) >> 2;
    }
  return result;
}

/**
 * @param {number} value
 * @returns {number} The nearest integer; of two, the even one.
 */
export function halfEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 ? below + 1 : below;
}

/**
 * Which of `length` pixels each of `count` cells covers, and how much of the cell each is.
 * @param {number} length
 * @param {number} count
 */
function shares(length, count) {
  const step = length / count;
  return Array.from({ length: count }, (_, cell) => {
    const start = cell * step;
    const end = Math.min(length, start + step);
    const first = Math.floor(start);
    const weights = [];
    for (let at = first; at < end - 1e-9; at += 1)
      weights.push((Math.min(end, at + 1) - Math.max(start, at)) / (end - start));
    return { first, weights };
  });
}
