// Keypoints are in pixels of the frame that was sent; pixel centres are whole numbers.

import { formatDuration, plural } from "../shared/common.js";

const MAX_WIDTH = 640; // pixels of a frame; the nets see a face at 224 at most
const QUALITY = 0.85;
const RATE_WINDOW = 2000; // milliseconds over which the rate is counted
const RETRY_DELAY = 300; // milliseconds until the next try when the server has enough to do

const CAMERA_ERRORS = {
  NotAllowedError:
    "The browser does not let this page use the camera; allow it in the settings beside the address, then press Start camera again.",
  NotFoundError: "No camera was found; connect one and press Start camera again, or choose a video file below.",
  NotReadableError:
    "The camera cannot be read, perhaps because another program uses it; close that and press Start camera again.",
};
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function release({ stream }) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

export default function mount({ element, props, server, watch }) {
  const button = element.querySelector(".kp-live-go");
  const rate = element.querySelector(".kp-live-rate");
  const notice = element.querySelector(".kp-live-said");
  const status = element.querySelector("[role=status]");
  const video = element.querySelector("video");
  const stages = ["model", "baseline"].map((side) => {
    const figure = element.querySelector(`[data-side="${side}"]`);
    return {
      side,
      figure,
      title: figure.querySelector("strong"),
      meta: figure.querySelector(".kp-meta"),
      canvas: figure.querySelector("canvas"),
      caption: figure.querySelector(".kp-live-says"),
    };
  });

  const frame = document.createElement("canvas");
  let current = null; // the run: {name, stream, times}; another run is another object
  const nameOf = (stage) => (stage.side === "model" ? props.value : props.baseline);

  function showNotice(sentence) {
    if (notice.textContent === sentence) return;
    notice.innerHTML = sentence ? '<div class="kp-notice kp-error"><p></p></div>' : "";
    if (sentence) notice.querySelector("p").textContent = sentence;
  }

  function updateTitles() {
    for (const stage of stages) {
      const { title, color } = props.systems[nameOf(stage)];
      stage.title.textContent = title;
      stage.figure.style.setProperty("--model", color);
      stage.canvas.setAttribute("aria-label", `${title} on the picture of the camera, as in a mirror`);
      stage.meta.textContent = stage.caption.textContent = "";
    }
  }

  async function start() {
    showNotice("");
    if (!navigator.mediaDevices) {
      showNotice("Browsers give the camera to secure pages only; open this page by its https address.");
      return;
    }
    const run = { name: crypto.randomUUID(), stream: null, times: [] };
    current = run;
    button.textContent = "Stop camera";
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: MAX_WIDTH }, facingMode: "user" },
      });
    } catch (error) {
      if (current === run)
        stop(
          CAMERA_ERRORS[error.name] ??
            `The camera did not start (${error.message || error.name}); try again, or choose a video file below.`,
        );
      return;
    }
    run.stream = stream;
    if (current !== run) {
      release(run); // stopped while the browser was asking
      return;
    }
    stream
      .getVideoTracks()[0]
      .addEventListener(
        "ended",
        () => current === run && stop("The camera was switched off or disconnected; press Start camera to go on."),
      );
    video.srcObject = stream;
    status.textContent = "The camera is on.";
    try {
      await video.play();
      await follow(run);
    } catch (error) {
      if (current === run) stop(`The camera stopped (${error.message || error.name}); press Start camera to go on.`);
    }
  }

  // One frame at a time: the next one is taken when the points of the last are there. Each is shown
  // with its own points, because points of an earlier frame would seem wrong on a head that moves.
  async function follow(run) {
    let lastTime = -1;
    while (current === run) {
      if (video.currentTime === lastTime || !video.videoWidth) {
        await pause(5);
        continue;
      }
      lastTime = video.currentTime;
      const start = performance.now();
      const width = Math.min(MAX_WIDTH, video.videoWidth);
      frame.width = width;
      frame.height = Math.round((width * video.videoHeight) / video.videoWidth);
      frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
      const model = props.value;
      const response = await server.look({ model, camera: run.name, picture: frame.toDataURL("image/jpeg", QUALITY) });
      if (current !== run) return;
      if (!response || response.error) {
        stop(response?.error ?? "The server does not answer; reload the page, then start the camera again.");
      } else if (response.busy) {
        rate.textContent = "Many cameras are on: waiting for a turn";
        await pause(RETRY_DELAY);
      } else if (model === props.value) {
        show(run, response, performance.now() - start);
      }
    }
  }

  function show(run, response, latency) {
    for (const stage of stages) draw(stage, response);
    element.classList.add("kp-on");
    showNotice(response.unavailable.join(" "));
    const now = performance.now();
    run.times = [...run.times.filter((time) => now - time < RATE_WINDOW), now];
    const [first] = run.times;
    // A figure that changes with every frame cannot be read.
    if (run.times.length < 2 || now - (run.lastUpdate ?? 0) < 400) return;
    run.lastUpdate = now;
    const second = (1000 * (run.times.length - 1)) / (now - first);
    rate.textContent = `${second.toFixed(1)} frames a second · ${formatDuration(latency)} from camera to points`;
    for (const stage of stages) updateFigures(stage, response);
  }

  function updateFigures(stage, { faces, apart }) {
    const predictions = faces.map((face) => face.answers[nameOf(stage)]).filter(Boolean);
    if (!predictions.length) {
      stage.meta.textContent = "";
      stage.caption.textContent = faces.length ? "found no points on this face" : "no face detected";
      return;
    }
    stage.meta.textContent = `${plural(predictions[0].points.length, "point")} · ${formatDuration(predictions[0].milliseconds)}`;
    stage.caption.textContent = "the baseline";
    if (stage.side === "model")
      stage.caption.textContent = apart === null ? "" : `${apart.toFixed(1)} % from MediaPipe on average`;
  }

  function draw(stage, { faces }) {
    const { canvas } = stage;
    const scale = Math.min(2, (canvas.parentElement.clientWidth * devicePixelRatio) / frame.width);
    const [width, height] = [frame.width, frame.height].map((side) => Math.round(side * scale));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d");
    pen.setTransform(-scale, 0, 0, scale, width, 0); // as in a mirror
    pen.drawImage(frame, 0, 0);
    pen.translate(0.5, 0.5);
    let points = 0;
    for (const face of faces) {
      const prediction = face.answers[nameOf(stage)];
      if (!prediction) continue;
      drawFace(pen, prediction, face.width, props.systems[nameOf(stage)].color);
      points += prediction.points.length;
    }
    stage.figure.dataset.points = points;
  }

  function drawFace(pen, { points, unsure, markup }, size, color) {
    const mesh = points.length > 100;
    const radius = Math.max((mesh ? 0.006 : 0.014) * size, mesh ? 0.5 : 1.3);
    pen.lineJoin = "round";
    pen.strokeStyle = color;
    pen.lineWidth = Math.max(0.006 * size, 0.7);
    pen.beginPath();
    for (const contour of props.contours[markup]) {
      for (const [at, k] of contour.entries()) {
        if (at) pen.lineTo(...points[k]);
        else pen.moveTo(...points[k]);
      }
    }
    pen.stroke();
    const hollow = new Set(unsure);
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

  function stop(sentence = "") {
    if (!current) return;
    release(current);
    current = null;
    video.srcObject = null;
    element.classList.remove("kp-on");
    for (const { canvas, meta, caption, figure } of stages) {
      canvas.width = canvas.height = 0;
      meta.textContent = caption.textContent = "";
      delete figure.dataset.points;
    }
    button.textContent = "Start camera";
    rate.textContent = "";
    status.textContent = "The camera is off.";
    showNotice(sentence);
  }

  button.addEventListener("click", () => (current ? stop() : start()));
  document.addEventListener("visibilitychange", () => document.hidden && stop());
  addEventListener("pagehide", () => stop());
  // Another tab of this page hides the element, and then it has no size.
  new ResizeObserver(() => element.getClientRects().length || stop()).observe(element);
  watch("value", updateTitles);
  updateTitles();
}
