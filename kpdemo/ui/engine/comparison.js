/**
 * The result: the JSON of `Comparison.to_dict()` in `kpdemo/structures.py`.
 *
 * @typedef {import("./crop.js").Point} Point
 * @typedef {object} Answer
 * @property {string} markup
 * @property {Point[]} keypoints In photo coordinates.
 * @property {number[]} [confidence]
 * @property {number[]} [expected_error]
 * @property {number} milliseconds
 */
export const BASELINE = "mediapipe";

const NO_FACE_HERE = "no face here";
const NO_FACE = "No face found. Try a photo in which a face is larger, well lit, and looks towards the camera.";

/**
 * @param {string} markup
 * @param {Point[]} keypoints
 * @param {number} milliseconds
 * @param {{confidence?: number[] | null, expectedError?: number[] | null, converted?: Record<string, Point[]>}} [more]
 * @returns {Answer}
 */
export function answer(markup, keypoints, milliseconds, { confidence, expectedError, converted } = {}) {
  return {
    markup,
    keypoints: rounded(keypoints),
    ...(confidence && { confidence: confidence.map((value) => round(value, 3)) }),
    ...(expectedError && { expected_error: expectedError.map((value) => round(value, 3)) }),
    milliseconds: round(milliseconds, 2),
    ...Object.fromEntries(Object.entries(converted ?? {}).map(([name, points]) => [name, rounded(points)])),
  };
}

/**
 * @param {object} look
 * @param {number} look.width Of the photo.
 * @param {number} look.height
 * @param {import("./crop_rules.js").Face[]} look.faces
 * @param {number} look.facesLeftOut
 * @param {string[]} look.models In their order.
 * @param {Record<string, (Answer | null)[]>} look.answers By model one a face.
 * @param {Record<string, number>} look.timings
 * @param {Record<string, string>} look.unavailable
 * @param {Record<string, string>} look.devices
 */
export function comparison(look) {
  const faces = look.faces.map((face, number) => compared(face, number, look));
  return {
    photo: { width: look.width, height: look.height },
    faces,
    timings: Object.fromEntries(Object.entries(look.timings).map(([name, value]) => [name, round(value, 2)])),
    unavailable: look.unavailable,
    faces_left_out: look.facesLeftOut,
    devices: look.devices,
    notices: notices(faces, look.facesLeftOut),
  };
}

/**
 * @param {import("./crop_rules.js").Face} face
 * @param {number} number
 * @param {{models: string[], answers: Record<string, (Answer | null)[]>}} look
 */
function compared(face, number, { models, answers }) {
  const names = models.filter((name) => answers[name]);
  const [missing, present] = [true, false].map((empty) =>
    names.filter((name) => (answers[name][number] === null) === empty),
  );
  return {
    box: face.box.map((value) => round(value, 2)),
    score: round(face.score, 4),
    roll: round(face.roll, 2),
    models: Object.fromEntries(present.map((name) => [name, answers[name][number]])),
    missing: Object.fromEntries(missing.map((name) => [name, NO_FACE_HERE])),
    confirmed: names.includes(BASELINE) ? present.includes(BASELINE) : null,
  };
}

/**
 * @param {ReturnType<typeof compared>[]} faces
 * @param {number} leftOut
 * @returns {string[]} Sentences on the photo for whoever reads the result.
 */
function notices(faces, leftOut) {
  if (!faces.length) return [NO_FACE];
  const sentences = [];
  const count = faces.length;
  if (leftOut) sentences.push(`${count + leftOut} faces were found; only the ${count} largest are compared.`);
  const doubtful = faces.filter((face) => face.confirmed === false && Object.keys(face.models).length);
  if (doubtful.length) {
    const scores = doubtful.map((face) => face.score);
    const limits = new Set([Math.min(...scores), Math.max(...scores)].map((score) => (100 * score).toFixed(0)));
    const subject = count === 1 ? "this face" : `${doubtful.length} of the ${count} faces`;
    sentences.push(
      `MediaPipe does not confirm ${subject} (detector ${[...limits].join(" to ")} %); ` +
        `${count === 1 ? "the" : "their"} points may mean nothing.`,
    );
  }
  return sentences;
}

/** @param {Point[]} points */
function rounded(points) {
  return points.map(([x, y]) => /** @type {Point} */ ([round(x, 3), round(y, 3)]));
}

/**
 * @param {number} value
 * @param {number} digits
 */
function round(value, digits) {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
