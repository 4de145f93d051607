/** Blink, smile and head pose, as `kpdemo.models.expressions` reads them. */

/**
 * @typedef {{blink_right: number, blink_left: number, smile: number, yaw: number, pitch: number, roll: number}}
 *   Expression Blendshapes from 0 to 1, left and right the subject's; degrees.
 * @typedef {object} Result MediaPipe's on an upright crop.
 * @property {{x: number, y: number}[][]} faceLandmarks
 * @property {{categories: {categoryName: string, score: number}[]}[]} faceBlendshapes
 * @property {{data: number[]}[]} facialTransformationMatrixes
 */

/**
 * The expression of the face in the middle; the crop may show neighbours. Null where there is none.
 * @param {Result} result
 * @param {number} tip Which landmark is the tip of the nose.
 * @param {number} roll The crop's, in degrees.
 * @returns {Expression | null}
 */
export function nearestExpression({ faceLandmarks, faceBlendshapes, facialTransformationMatrixes }, tip, roll) {
  const distances = faceLandmarks.map((points) => Math.hypot(points[tip].x - 0.5, points[tip].y - 0.5));
  const nearest = distances.indexOf(Math.min(...distances));
  if (nearest < 0) return null;
  const { categories } = faceBlendshapes[nearest];
  const score = (/** @type {string} */ wanted) =>
    categories.find(({ categoryName }) => categoryName === wanted)?.score ?? 0;
  const angles = anglesOf(facialTransformationMatrixes[nearest].data);
  return {
    blink_right: score("eyeBlinkRight"),
    blink_left: score("eyeBlinkLeft"),
    smile: (score("mouthSmileRight") + score("mouthSmileLeft")) / 2,
    ...angles,
    roll: ((((angles.roll + roll + 180) % 360) + 360) % 360) - 180,
  };
}

/** @param {number[]} matrix A 4×4, column by column: x right, y up, z out of the picture. */
function anglesOf(matrix) {
  const forward = matrix.slice(8, 11);
  const length = Math.hypot(...forward);
  const [x, y, z] = forward.map((value) => value / length);
  const degrees = (/** @type {number} */ angle) => (angle * 180) / Math.PI;
  return {
    yaw: degrees(Math.atan2(x, z)),
    pitch: degrees(Math.asin(Math.min(1, Math.max(-1, y)))),
    roll: degrees(-Math.atan2(matrix[1], matrix[0])),
  };
}
