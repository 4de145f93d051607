// Peaks, ellipses and predictions over a map. Places are pixels of the crop that the net saw; pixel
// centres are whole numbers, so the crop starts at -0.5.

import { isKnown, round2 } from "../shared/common.js";

const cross = (kind, [x, y], arm) =>
  `<path class="${kind}" d="M${round2(x - arm)} ${round2(y)}h${round2(2 * arm)}M${round2(x)} ${round2(y - arm)}v${round2(2 * arm)}"/>`;

// `px` is about a pixel of the screen.
export function marksOf(panel, at, { map, top }, px) {
  const small = at.length > 1;
  const dot = (small ? 2.6 : 5) * px;
  const parts = [];
  const twice = (shape) => parts.push(shape("kp-under"), shape("kp-over"));
  for (const k of at) {
    const ellipse = panel.ellipses?.[k];
    if (!isKnown(ellipse)) continue;
    const [x, y, long, short, angle] = ellipse.map(round2);
    twice(
      (kind) =>
        `<ellipse class="${kind}" cx="${x}" cy="${y}" rx="${long}" ry="${short}" transform="rotate(${angle} ${x} ${y})"/>`,
    );
  }
  for (const k of at) {
    if (isKnown(panel.points[k])) {
      const [x, y] = panel.points[k].map(round2);
      parts.push(`<circle class="kp-answer" data-k="${k}" cx="${x}" cy="${y}" r="${round2(dot)}"/>`);
    }
    if (!isKnown(panel.peaks?.[k])) continue;
    if (small) parts.push(cross("kp-fine", panel.peaks[k], 4 * px));
    else twice((kind) => cross(kind, panel.peaks[k], 9 * px));
  }
  if (panel.kind === "moves" && top > 0) {
    const [w, h] = panel.grid;
    const place = map.indexOf(top);
    const x = ((place % w) + 0.5) * (panel.width / w) - 0.5;
    const y = (Math.floor(place / w) + 0.5) * (panel.height / h) - 0.5;
    if (panel.patch) {
      twice(
        (kind) =>
          `<rect class="${kind} kp-dashed" x="${round2(x - panel.patch / 2)}" y="${round2(y - panel.patch / 2)}" width="${round2(panel.patch)}" height="${round2(panel.patch)}"/>`,
      );
    }
    twice((kind) => cross(kind, [x, y], 9 * px));
  }
  return parts.join("");
}
