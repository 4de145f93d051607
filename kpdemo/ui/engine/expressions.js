/**
 * Blink, smile and head pose from MediaPipe's blendshapes and face geometry; `kpdemo/models/expressions.py`.
 *
 * @typedef {object} Expression Blendshapes from 0 to 1, left and right the subject's, and the head's pose in
 *   degrees: yaw to the right of the picture, pitch up, roll clockwise.
 * @property {number} blink_right
 * @property {number} blink_left
 * @property {number} smile
 * @property {number} yaw
 * @property {number} pitch
 * @property {number} roll
 */

/**
 * @param {any} result MediaPipe's on an upright crop.
 * @param {number} roll Of the crop in degrees.
 * @param {number} noseTip Its point of the mesh.
 * @returns {Expression | null} That of the face in the middle, if there is one.
 */
export function expressionOf(result, roll, noseTip) {
  const gaps = result.faceLandmarks.map((/** @type {{x: number, y: number}[]} */ mesh) =>
    Math.hypot(mesh[noseTip].x - 0.5, mesh[noseTip].y - 0.5),
  );
  if (!gaps.length) return null;
  const nearest = gaps.indexOf(Math.min(...gaps));
  const scores = Object.fromEntries(
    result.faceBlendshapes[nearest].categories.map((/** @type {any} */ { categoryName, score }) => [
      categoryName,
      score,
    ]),
  );
  // Columns of MediaPipe's matrix: x to the right, z out of the picture.
  const { data } = result.facialTransformationMatrixes[nearest];
  const [right, forward] = [data.slice(0, 3), data.slice(8, 11)];
  return {
    blink_right: scores.eyeBlinkRight,
    blink_left: scores.eyeBlinkLeft,
    smile: (scores.mouthSmileRight + scores.mouthSmileLeft) / 2,
    yaw: degrees(Math.atan2(forward[0], forward[2])),
    pitch: degrees(Math.asin(Math.max(-1, Math.min(1, forward[1] / Math.hypot(...forward))))),
    roll: ((((roll - degrees(Math.atan2(right[1], right[0])) + 180) % 360) + 360) % 360) - 180,
  };
}

/** @param {number} angle In radians. */
function degrees(angle) {
  return (angle * 180) / Math.PI;
}
