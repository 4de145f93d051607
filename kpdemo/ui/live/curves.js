// Curves of blink, smile and head pose over the last seconds.

import { make } from "../shared/common.js";

const SECONDS = 20;
const [WIDTH, HEIGHT] = [600, 56];
const POSE = 45; // degrees at the edges

const CURVES = [
  { title: "Blink, right eye", read: (e) => e.blink_right, low: 0, high: 1 },
  { title: "Blink, left eye", read: (e) => e.blink_left, low: 0, high: 1 },
  { title: "Smile", read: (e) => e.smile, low: 0, high: 1 },
  { title: "Yaw", read: (e) => e.yaw, low: -POSE, high: POSE },
  { title: "Pitch", read: (e) => e.pitch, low: -POSE, high: POSE },
  { title: "Roll", read: (e) => e.roll, low: -POSE, high: POSE },
];

export function createCurves(place) {
  let samples = []; // {seconds, expression}, of frames without a face too
  const curves = CURVES.map((curve) => {
    const value = make("output", {}, "–");
    const canvas = make("canvas", {
      role: "img",
      "aria-label": `${curve.title} over the last ${SECONDS} seconds`,
      width: WIDTH,
      height: HEIGHT,
    });
    const unit = curve.high === 1 ? "0 to 1" : `−${POSE}° to ${POSE}°`;
    place.append(make("figure", {}, make("figcaption", {}, make("span", { title: unit }, curve.title), value), canvas));
    return { ...curve, value, canvas };
  });

  function draw({ canvas, read, low, high, value }) {
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    pen.clearRect(0, 0, WIDTH, HEIGHT);
    const y = (figure) => HEIGHT - 3 - ((Math.min(high, Math.max(low, figure)) - low) / (high - low)) * (HEIGHT - 6);
    pen.lineWidth = 1;
    pen.strokeStyle = style.getPropertyValue("--border-color-primary");
    pen.beginPath();
    pen.moveTo(0, y(0));
    pen.lineTo(WIDTH, y(0));
    pen.stroke();
    const last = samples.at(-1);
    value.textContent = !last?.expression
      ? "–"
      : high === 1
        ? read(last.expression).toFixed(2)
        : `${read(last.expression).toFixed(0)}°`.replace("-", "−");
    if (!last) return;
    pen.lineWidth = 2;
    pen.strokeStyle = style.getPropertyValue("--kp-accent");
    pen.beginPath();
    let drawing = false; // a face that was away leaves a gap
    for (const { seconds, expression } of samples) {
      if (expression) {
        const x = WIDTH * (1 - (last.seconds - seconds) / SECONDS);
        if (drawing) pen.lineTo(x, y(read(expression)));
        else pen.moveTo(x, y(read(expression)));
      }
      drawing = Boolean(expression);
    }
    pen.stroke();
  }

  function add(seconds, expression) {
    samples = [...samples.filter((sample) => seconds - sample.seconds < SECONDS), { seconds, expression }];
    place.dataset.samples = samples.filter((sample) => sample.expression).length;
    curves.forEach(draw);
  }

  function reset() {
    samples = [];
    delete place.dataset.samples;
    curves.forEach(draw);
  }

  return { add, reset };
}
