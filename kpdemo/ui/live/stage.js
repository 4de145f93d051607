// A picture of the camera with points on it, as in a mirror. Points are in pixels of the frame;
// pixel centres are whole numbers.

import { make } from "../shared/common.js";

const MESH = 100; // points from which on they are small

function drawFace(pen, prediction, steady, size, contours) {
  const { color } = prediction;
  const points = steady ? prediction.steady : prediction.raw;
  const mesh = points.length > MESH;
  const radius = Math.max((mesh ? 0.006 : 0.014) * size, mesh ? 0.5 : 1.3);
  pen.lineJoin = "round";
  pen.strokeStyle = color;
  pen.lineWidth = Math.max(0.006 * size, 0.7);
  pen.beginPath();
  for (const contour of contours[prediction.markup]) {
    for (const [at, k] of contour.entries()) {
      if (at) pen.lineTo(...points[k]);
      else pen.moveTo(...points[k]);
    }
  }
  pen.stroke();
  const hollow = new Set(prediction.unsure);
  for (const solid of [true, false]) {
    pen.beginPath();
    points.forEach(([x, y], k) => {
      if (hollow.has(k) === solid) return;
      pen.moveTo(x + radius, y);
      pen.arc(x, y, radius, 0, 2 * Math.PI);
    });
    pen.lineWidth = 0.3 * radius;
    pen.fillStyle = color;
    pen.strokeStyle = solid ? "#141414" : `color-mix(in srgb, ${color} 45%, white)`;
    if (solid) pen.fill();
    pen.stroke();
  }
}

// `systems` are the models on this picture: {name, title, color}; `text` is shown without a camera.
export function createStage(systems, contours, text) {
  const canvas = make("canvas", {
    role: "img",
    "aria-label": `${systems.map(({ title }) => title).join(", ") || "No model"} on the picture of the camera, as in a mirror`,
  });
  const note = make("p");
  note.innerHTML = text;
  const title = make("figcaption");
  for (const system of systems) {
    const swatch = make("i", { class: "kp-swatch" });
    swatch.style.background = system.color;
    title.append(make("span", {}, swatch, system.title));
  }
  const figure = make("figure", { class: "kp-live-stage" }, title, make("div", { class: "kp-screen" }, canvas, note));
  figure.dataset.models = systems.map(({ name }) => name).join(" ");

  function draw(frame, { faces }, steady) {
    const scale = Math.min(2, (canvas.parentElement.clientWidth * devicePixelRatio) / frame.width);
    const [width, height] = [frame.width, frame.height].map((side) => Math.round(side * scale));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d");
    pen.setTransform(-scale, 0, 0, scale, width, 0);
    pen.drawImage(frame, 0, 0);
    pen.translate(0.5, 0.5);
    let count = 0;
    for (const face of faces) {
      const predictions = systems
        .map(({ name, color }) => ({ color, ...face.answers[name] }))
        .filter(({ raw }) => raw)
        .sort((one, two) => two.raw.length - one.raw.length); // a mesh would hide the others
      for (const prediction of predictions) {
        drawFace(pen, prediction, steady, face.width, contours);
        count += prediction.raw.length;
      }
    }
    figure.dataset.points = count;
  }

  function clear() {
    canvas.width = canvas.height = 0;
    delete figure.dataset.points;
  }

  return { figure, draw, clear };
}
