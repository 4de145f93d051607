// Plays the learning curves: what lies after the chosen epoch (or minute) is veiled, and the values
// there stand beside it. All of it is in the chart already, so nothing is asked of the server.

const CHART = "#training-curves";
const DURATION = 8000; // milliseconds of the whole training
const VEIL = "play-veil";

const plotOf = () => document.querySelector(`${CHART} .js-plotly-plot`);
const isCurve = (trace) => trace.mode?.includes("lines") && trace.line?.dash !== "dash";
const curvesOf = (plot) => (plot?.data ?? []).filter(isCurve);
// Plotly keeps arrays as they are, or packed.
const numbers = (column) => Array.from(column?._inputArray ?? column ?? []);

function lastOf(plot) {
  return Math.ceil(Math.max(1, ...curvesOf(plot).flatMap((trace) => numbers(trace.x).slice(-1))));
}

function valueAt(trace, at) {
  const xs = numbers(trace.x);
  const ys = numbers(trace.y);
  for (let k = xs.length - 1; k >= 0; k--) {
    if (xs[k] <= at && ys[k] !== null && Number.isFinite(ys[k])) return ys[k];
  }
  return null;
}

function veil(at, background) {
  const box = { type: "rect", xref: "x", yref: "paper", x0: at, x1: 1e6, y0: 0, y1: 1 };
  const edge = { type: "line", xref: "x", yref: "paper", x0: at, x1: at, y0: 0, y1: 1 };
  return [
    { ...box, name: VEIL, fillcolor: background, opacity: 0.88, line: { width: 0 }, layer: "above" },
    { ...edge, line: { color: "rgba(128, 128, 128, 0.9)", width: 1.5 } },
  ];
}

export default function mount({ element }) {
  const button = element.querySelector("[data-play]");
  const slider = element.querySelector("input");
  const label = element.querySelector("[data-at]");
  const output = element.querySelector("[data-values]");
  let timer = null;

  const draw = () => {
    const plot = plotOf();
    if (!plot?.layout || !window.Plotly) return;
    const last = lastOf(plot);
    const at = Math.min(Number(slider.value), last);
    const whole = at >= last;
    const unit = plot.layout.xaxis.title.text === "Epoch" ? "Epoch" : "Minute";
    label.textContent = whole ? "Whole training" : `${unit} ${at} of ${last}`;
    slider.setAttribute("aria-valuetext", label.textContent);
    const values = whole ? [] : curvesOf(plot).map((trace) => [trace.name, valueAt(trace, at)]);
    output.textContent = values
      .map(([name, value]) => `${name} ${value === null ? "–" : Number(value.toPrecision(3))}`)
      .join(" · ");
    const background = getComputedStyle(document.body).backgroundColor;
    window.Plotly.relayout(plot, { shapes: whole ? [] : veil(at, background) });
  };

  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  };

  // A new chart has its own length, and no veil yet.
  const fit = () => {
    const plot = plotOf();
    if (!plot?.layout) return;
    const last = lastOf(plot);
    if (Number(slider.max) !== last) {
      stop();
      slider.max = last;
      slider.value = last;
      draw();
    } else if (Number(slider.value) < last && !plot.layout.shapes?.length) {
      draw();
    }
  };

  const step = () => {
    const next = Number(slider.value) + Math.max(1, Math.round(Number(slider.max) / (DURATION / 100)));
    slider.value = next;
    draw();
    if (next >= Number(slider.max)) stop();
  };

  slider.addEventListener("input", () => {
    stop();
    draw();
  });
  button.addEventListener("click", () => {
    if (timer) {
      stop();
      return;
    }
    fit();
    if (Number(slider.value) >= Number(slider.max)) slider.value = 0;
    button.textContent = "Pause";
    draw();
    timer = setInterval(step, 100);
  });
  const box = document.querySelector(CHART);
  if (box) new MutationObserver(fit).observe(box, { childList: true, subtree: true });
  fit();
}
