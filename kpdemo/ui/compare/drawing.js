// What is drawn on a picture, as SVG text. Coordinates are the photo's; pixel centres are whole
// numbers, so the picture starts at -0.5. Sizes are in the style sheet, by the face's width and the
// zoom.

import { isKnown, round2 } from "../shared/common.js";

export const UNITS_ACROSS = 420; // units across the picture, of which the smallest sizes are so many
const SCALE = 10; // percent of the eye distance, of lines of true length
export const MESH = 100; // a markup of more points is drawn as dots
export const FAR = 8; // percent of the eye distance: a face with such an error counts as failed

export const percent = (share) => `${Math.round(100 * share)} %`;

export const drawImage = (src, x, y, width, height) =>
  `<image href="${src}" x="${x - 0.5}" y="${y - 0.5}" width="${width}" height="${height}" preserveAspectRatio="none"/>`;

// One face's layers; circles, lines and numbers stay empty until they are switched on.
// All points that are not hollow are one path of zero-length strokes: one node per point would be slow
// with 24 meshes.
export function drawFace(data, panel, f) {
  const {
    box: [x0, y0, x1, y1],
    score,
    truth,
    confirmed,
  } = data.faces[f];
  const prediction = panel.faces[f];
  const width = x1 - x0;
  const open = (mesh) =>
    `<g class="kp-face${mesh ? " kp-mesh" : ""}${confirmed === false ? " kp-unconfirmed" : ""}" data-face="${f}" style="--face: ${round2(width)}px">`;
  const box = `<g class="kp-boxes"><rect x="${x0}" y="${y0}" width="${width}" height="${y1 - y0}"/><text x="${x0}" y="${y0 - 0.03 * width}">face ${f + 1}, ${percent(score)}</text></g>`;
  const marks = truth ? drawDots("kp-truth", truth.filter(isKnown)) : "";
  if (!prediction) return `${open(false)}${box}${marks}</g>`;
  const { points } = prediction;
  const lines = panel.contours.flatMap((contour) =>
    contour.map((k, i) => {
      if (!isKnown(points[k])) return "";
      return `${i && isKnown(points[contour[i - 1]]) ? "L" : "M"}${points[k].join(" ")}`;
    }),
  );
  const full = points.filter((at, k) => isKnown(at) && !isDoubtful(prediction, k, data.low));
  const doubtful = points.filter((at, k) => isKnown(at) && isDoubtful(prediction, k, data.low));
  const hollow = doubtful.map(([x, y]) => `<circle cx="${x}" cy="${y}"/>`);
  const dots = drawDots("kp-points", full, hollow.join(""), points.filter(isKnown).length);
  return `${open(points.length > MESH)}${box}<path class="kp-expected"/><path class="kp-contours" d="${lines.join("")}"/><g class="kp-vectors"><path/><path/></g>${dots}${marks}<g class="kp-numbers"></g></g>`;
}

// Whether a net says that its point may be far off: by its expected error, or its confidence if it has
// none.
function isDoubtful({ expected_error: errors, confidence }, k, low) {
  return errors ? errors[k] > FAR : confidence?.[k] < low;
}

// A path of lines along `gaps`, a panel's distances to the reference, `enlarged` times.
export const drawVectors = (gaps, enlarged) =>
  [...(gaps?.values() ?? [])]
    .map(({ ours: [x, y], theirs }) => {
      const [dx, dy] = [theirs[0] - x, theirs[1] - y].map((side) => enlarged * side);
      return `M${x} ${y}L${round2(x + dx)} ${round2(y + dy)}`;
    })
    .join("");

// A path of circles around the points, as wide as the net expects them to be off.
export const drawExpected = ({ points, radii }) =>
  (radii ?? [])
    .map((radius, k) => {
      if (!isKnown(points[k])) return "";
      const [x, y] = points[k];
      return `M${round2(x - radius)} ${y}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`;
    })
    .join("");

function drawDots(layer, points, more = "", count = points.length) {
  const path = points.map(([x, y]) => `M${x} ${y}h0`).join("");
  return `<g class="${layer}" data-count="${count}"><path class="kp-rim" d="${path}"/><path class="kp-dot" d="${path}"/>${more}</g>`;
}

// A mesh has too many points to number; those that stand for a named place are enough.
export const drawNumbers = (panel, f) =>
  panel.faces[f].points
    .map((at, k) =>
      isKnown(at) && (panel.names.length <= MESH || panel.single[k])
        ? `<text x="${at[0]}" y="${at[1]}" dx="0.35em" dy="-0.25em">${k}</text>`
        : "",
    )
    .join("");

// The scale bar of the difference lines, in the lower left of the visible part (x, y, width, height): so
// many percent of `eyes`, the eye distance, enlarged as the lines are.
export function drawScale([x, y, , height], eyes, enlarged, unit) {
  const share = SCALE / enlarged;
  const left = x + 12 * unit;
  const bottom = y + height - 12 * unit;
  const path = `M${left} ${bottom}h${(eyes * SCALE) / 100}`;
  const text = `${share} % of the eye distance`;
  return `<path d="${path}"/><path d="${path}"/><text x="${left}" y="${bottom - 6 * unit}">${text}</text>`;
}

export function drawRing([x0, , x1], [x, y], place, color) {
  const circle = (kind) => `<circle class="${kind}" cx="${x}" cy="${y}"/>`;
  return `<g data-place="${place}" style="--face: ${round2(x1 - x0)}px; --model: ${color}">${circle("kp-halo")}${circle("kp-ring")}</g>`;
}
