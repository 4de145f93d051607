/**
 * Face candidates: cheap proposals that the detector verifies; `kpdemo/faces/candidates.py`.
 *
 * @typedef {object} Candidate A square that may hold a face, in photo coordinates.
 * @property {number} x Its centre.
 * @property {number} y
 * @property {number} width
 * @property {number} score From 0 to 1.
 * @property {number} roll An estimate in degrees.
 */

/**
 * @param {Candidate} candidate
 * @param {{x: number, y: number, width: number}} other
 * @returns {boolean} Whether the other would be the same face.
 */
export function resembles(candidate, { x, y, width }) {
  const near = 0.35 * Math.max(width, candidate.width);
  const ratio = width / candidate.width;
  return Math.abs(x - candidate.x) < near && Math.abs(y - candidate.y) < near && ratio > 0.6 && ratio < 1 / 0.6;
}

/**
 * @param {Candidate[]} candidates
 * @returns {Candidate[]} One a face, the likeliest first.
 */
export function distinct(candidates) {
  /** @type {Candidate[]} */
  const kept = [];
  for (const candidate of candidates.toSorted((a, b) => b.score - a.score))
    if (!kept.some((other) => resembles(candidate, other))) kept.push(candidate);
  return kept;
}
