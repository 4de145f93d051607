// From pointer and keys to the point that they mean.

import { isKnown } from "../shared/common.js";
import { toPhoto } from "./zoom.js";

const REACH = 16; // pixels of the screen between the pointer and a point that it still means

// The point of the screen's panels that is nearest to the pointer: {panel, face, point}, or null.
export function nearest(event, { svg }, panels) {
  const matrix = svg.getScreenCTM();
  if (!matrix) return null;
  const at = toPhoto(svg, event.clientX, event.clientY);
  let best = null;
  let least = REACH / matrix.a;
  for (const panel of panels) {
    for (const [face, answer] of panel.faces.entries()) {
      for (const [point, spot] of (answer?.points ?? []).entries()) {
        if (!isKnown(spot)) continue;
        const gap = Math.hypot(spot[0] - at.x, spot[1] - at.y);
        if (gap < least) {
          least = gap;
          best = { panel, face, point };
        }
      }
    }
  }
  return best;
}

export const isSame = (one, two) =>
  one === two || (one && two && one.panel === two.panel && one.face === two.face && one.point === two.point);

// The first point of a panel, on the chosen face if it has that.
export function firstPoint(panel, choice) {
  const face = panel.faces[choice] ? choice : panel.faces.findIndex(Boolean);
  return face >= 0 ? { panel, face, point: 0 } : null;
}

// The next point, or the same one on the next face; `steps` are 1, 0 or −1.
export function neighbour({ panel, face, point }, steps, faceSteps) {
  const { faces } = panel;
  const next = { panel, face, point };
  const wrap = (number, count) => (number + count) % count;
  if (steps) {
    const { points } = faces[face];
    do next.point = wrap(next.point + steps, points.length);
    while (!isKnown(points[next.point]) && next.point !== point);
  } else {
    do next.face = wrap(next.face + faceSteps, faces.length);
    while (!faces[next.face]);
  }
  return next;
}
