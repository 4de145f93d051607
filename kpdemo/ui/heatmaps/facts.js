// The facts beside a map.

import { make, mean } from "../shared/common.js";

const EXPLANATIONS = {
  shares: ({ calibrated }) =>
    `The brighter a cell, the more of the net’s expectation lies in it; a map sums to one, and is the mean of those on the face and on its mirror image. The cross is the highest cell, the ellipse one standard deviation around the map’s mean, the dot the prediction: that mean${calibrated ? ", moved a little by a calibration that was fitted on training faces" : ""}.`,
  heights: () =>
    "The brighter a cell, the higher the map there; the net was trained on a Gaussian of height 1 around the point. The cross is its highest cell, the ellipse one standard deviation around its mean, the dot the prediction: that cell, moved a quarter of a cell towards its higher neighbour.",
  occlusion: () =>
    "A plain grey square, as large as the dashed one, occluded every place of the picture in turn: the brighter a place, the farther the point moved, so the prediction depends on bright places. The cross is the brightest, the dot the prediction with nothing occluded. Moves are the net’s own, without the flip test that its other predictions have. It can say what is missed when it is gone; it cannot say why, and a grey square is itself something that no face has.",
  gradients: () =>
    "Gradient × input: how much the contrast of each place pulls the point, by the net’s derivatives at this very picture; the length of the pull is shown, not its direction. The cross is the strongest place, the dot the prediction. It can say, to a fine grain, what small changes would matter; it cannot say what happens when a place is gone, and adds up to the whole prediction only for a linear net, which this is not.",
};
export const explain = (panels) =>
  [...new Set(panels.map((panel) => EXPLANATIONS[panel.method ?? panel.kind](panel)))].join(" ");

export const capital = (text) => text[0].toUpperCase() + text.slice(1);

// A number of at least 0, with two significant digits.
export function digits(value) {
  if (value === 0) return "0";
  if (value < 1e-4) return "< 0.0001";
  if (value < 0.995) return value.toPrecision(2);
  return value < 9.95 ? value.toFixed(1) : `${Math.round(value)}`;
}
const percent = (value) => (value === null ? "none" : `${digits(value)} %`);

// What the panel's `toScale` makes comparable.
const SCALE_UNITS = {
  shares: (value) => `${digits(value)} % of the map per square of 1 % of the picture’s width`,
  heights: (value) => `height ${digits(value)}`,
};

// What a panel says of its points `at`: a name, a list of figures, and what the colours stand for.
// `sharedTop` is the end of the scale where panels share one.
export function factsOf(panel, at, { top: highest }, sharedTop, gradient) {
  const over = (values) => mean(at.map((k) => values[k] ?? 0));
  const rows = [];
  let top;
  if (panel.kind === "moves") {
    top = percent(highest);
    const [most, average] =
      panel.method === "occlusion" ? ["Moves at most", "Moves on average"] : ["Strongest pull", "Average pull"];
    rows.push([most, `${top} ${panel.unit}`]);
    rows.push([average, `${percent(over(panel.mean))} ${panel.unit}`]);
  } else {
    const shares = panel.kind === "shares";
    top = shares ? percent(over(panel.top)) : digits(over(panel.top));
    rows.push(["Highest cell", shares ? `${top} of the map` : `${top} (target: 1)`]);
    const [long, short] = [0, 1].map((axis) => percent(over(panel.spread.map((radii) => radii[axis]))));
    rows.push(["Spread (1 σ)", `${long} along, ${short} across, ${panel.unit}`]);
    rows.push(["Cross to dot", `${percent(over(panel.gap))} ${panel.unit}`]);
  }
  if (panel.expected_error) {
    rows.push(["Expected error", `${over(panel.expected_error).toFixed(1)} % of the eye distance`]);
  }
  const title = at.length === 1 ? capital(panel.names[at[0]]) : `Mean over ${at.length} points`;
  const list = rows.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text)));
  const end =
    sharedTop !== null
      ? SCALE_UNITS[panel.kind](sharedTop)
      : panel.kind !== "moves" && at.length > 1
        ? "each its peak"
        : top;
  return [
    make("b", {}, title),
    make("dl", {}, ...list),
    make("div", { class: "kp-scale", "aria-hidden": "true", style: `background: linear-gradient(90deg, ${gradient})` }),
    make("div", { class: "kp-ends" }, make("span", {}, "0"), make("span", {}, end)),
  ];
}

// The text for a panel whose markup lacks the chosen points.
export const noPoints = ({ names }) => [make("p", {}, `No such landmark among its ${names.length}.`)];
