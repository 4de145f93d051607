// Runs once, when Gradio mounts the component: `element`, `props`, `server` and `watch` are its.
// Keypoints are in pixels of the frame that was sent; pixel centres are whole numbers.

const button = element.querySelector(".kp-live-go");
const rate = element.querySelector(".kp-live-rate");
const said = element.querySelector(".kp-live-said");
const spoken = element.querySelector("[role=status]");
const video = element.querySelector("video");
const stages = ["model", "baseline"].map((side) => {
  const figure = element.querySelector(`[data-side="${side}"]`);
  return {
    side,
    figure,
    title: figure.querySelector("strong"),
    meta: figure.querySelector(".kp-meta"),
    canvas: figure.querySelector("canvas"),
    says: figure.querySelector(".kp-live-says"),
  };
});

const WIDEST = 640; // pixels of a frame; the nets see a face at 224 at most
const QUALITY = 0.85;
const WINDOW = 2000; // milliseconds over which the rate is counted
const BUSY = 300; // milliseconds until the next try when the server has enough to do
const REFUSED = {
  NotAllowedError: "The browser does not let this page use the camera; allow it in the settings beside the address, then press Start camera again.",
  NotFoundError: "No camera was found; connect one and press Start camera again, or choose a video file below.",
  NotReadableError: "The camera cannot be read, perhaps because another program uses it; close that and press Start camera again.",
};

const frame = document.createElement("canvas");
let running = null; // {name, stream, times}; another run is another object
const nameOf = (stage) => (stage.side === "model" ? props.value : props.baseline);
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function complain(sentence) {
  if (said.textContent === sentence) return;
  said.innerHTML = sentence ? '<div class="kp-notice kp-error"><p></p></div>' : "";
  if (sentence) said.querySelector("p").textContent = sentence;
}

function name() {
  for (const stage of stages) {
    const { title, color } = props.systems[nameOf(stage)];
    stage.title.textContent = title;
    stage.figure.style.setProperty("--model", color);
    stage.canvas.setAttribute("aria-label", `${title} on the picture of the camera, as in a mirror`);
    stage.meta.textContent = stage.says.textContent = "";
  }
}

async function start() {
  complain("");
  if (!navigator.mediaDevices) {
    complain("Browsers give the camera to secure pages only; open this page by its https address.");
    return;
  }
  const run = { name: crypto.randomUUID(), stream: null, times: [] };
  running = run;
  button.textContent = "Stop camera";
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: WIDEST }, facingMode: "user" } });
  } catch (error) {
    if (running === run) stop(REFUSED[error.name] ?? `The camera did not start (${error.message || error.name}); try again, or choose a video file below.`);
    return;
  }
  run.stream = stream;
  if (running !== run) {
    release(run); // stopped while the browser was asking
    return;
  }
  stream.getVideoTracks()[0].addEventListener("ended", () => running === run && stop("The camera was switched off or disconnected; press Start camera to go on."));
  video.srcObject = stream;
  spoken.textContent = "The camera is on.";
  try {
    await video.play();
    await follow(run);
  } catch (error) {
    if (running === run) stop(`The camera stopped (${error.message || error.name}); press Start camera to go on.`);
  }
}

// One frame at a time: the next one is taken when the points of the last are there. Each is shown
// with its own points, because points of an earlier frame would seem wrong on a head that moves.
async function follow(run) {
  let shown = -1;
  while (running === run) {
    if (video.currentTime === shown || !video.videoWidth) {
      await pause(5);
      continue;
    }
    shown = video.currentTime;
    const sent = performance.now();
    const width = Math.min(WIDEST, video.videoWidth);
    frame.width = width;
    frame.height = Math.round((width * video.videoHeight) / video.videoWidth);
    frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
    const model = props.value;
    const answer = await server.look({ model, camera: run.name, picture: frame.toDataURL("image/jpeg", QUALITY) });
    if (running !== run) return;
    if (!answer || answer.error) {
      stop(answer?.error ?? "The server does not answer; reload the page, then start the camera again.");
    } else if (answer.busy) {
      rate.textContent = "Many cameras are on: waiting for a turn";
      await pause(BUSY);
    } else if (model === props.value) {
      show(run, answer, performance.now() - sent);
    }
  }
}

function show(run, answer, spent) {
  for (const stage of stages) draw(stage, answer);
  element.classList.add("kp-on");
  complain(answer.unavailable.join(" "));
  const now = performance.now();
  run.times = [...run.times.filter((time) => now - time < WINDOW), now];
  const [first] = run.times;
  // A figure that changes with every frame cannot be read.
  if (run.times.length < 2 || now - (run.told ?? 0) < 400) return;
  run.told = now;
  const second = (1000 * (run.times.length - 1)) / (now - first);
  rate.textContent = `${second.toFixed(1)} frames a second · ${brief(spent)} from camera to points`;
  for (const stage of stages) tell(stage, answer);
}

function tell(stage, { faces, apart }) {
  const found = faces.map((face) => face.answers[nameOf(stage)]).filter(Boolean);
  if (!found.length) {
    stage.meta.textContent = "";
    stage.says.textContent = faces.length ? "found no points on this face" : "no face in sight";
    return;
  }
  stage.meta.textContent = `${count(found[0].points.length, "point")} · ${brief(found[0].milliseconds)}`;
  stage.says.textContent = "the baseline";
  if (stage.side === "model") stage.says.textContent = apart === null ? "" : `${apart.toFixed(1)} % from MediaPipe on average`;
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
  let drawn = 0;
  for (const face of faces) {
    const found = face.answers[nameOf(stage)];
    if (!found) continue;
    drawFace(pen, found, face.width, props.systems[nameOf(stage)].color);
    drawn += found.points.length;
  }
  stage.figure.dataset.points = drawn;
}

function drawFace(pen, { points, unsure, markup }, size, color) {
  const mesh = points.length > 100;
  const radius = Math.max((mesh ? 0.006 : 0.014) * size, mesh ? 0.5 : 1.3);
  pen.lineJoin = "round";
  pen.strokeStyle = color;
  pen.lineWidth = Math.max(0.006 * size, 0.7);
  pen.beginPath();
  for (const contour of props.contours[markup]) {
    contour.forEach((k, at) => (at ? pen.lineTo(...points[k]) : pen.moveTo(...points[k])));
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

function release({ stream }) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function stop(sentence = "") {
  if (!running) return;
  release(running);
  running = null;
  video.srcObject = null;
  element.classList.remove("kp-on");
  for (const { canvas, meta, says, figure } of stages) {
    canvas.width = canvas.height = 0;
    meta.textContent = says.textContent = "";
    delete figure.dataset.points;
  }
  button.textContent = "Start camera";
  rate.textContent = "";
  spoken.textContent = "The camera is off.";
  complain(sentence);
}

button.addEventListener("click", () => (running ? stop() : start()));
document.addEventListener("visibilitychange", () => document.hidden && stop());
addEventListener("pagehide", () => stop());
// Another tab of this page hides the element, and then it has no size.
new ResizeObserver(() => element.getClientRects().length || stop()).observe(element);
watch("value", name);
name();
