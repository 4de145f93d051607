// The camera: each frame goes to where its points are computed, and is drawn here with them.

import { formatDuration, offer } from "../shared/common.js";
import { createCurves } from "./curves.js";
import { createFigures } from "./figures.js";
import { createStage } from "./stage.js";
import { Where } from "./where.js";

const MAX_WIDTH = 640; // pixels of a frame; the nets see a face at 224 at most
const FROZEN_QUALITY = 0.95;
const RETRY_DELAY = 300; // milliseconds until the next try when the server has enough to do

const OFF =
  "<strong>The camera is off.</strong> Press Start camera; the browser then asks whether this page may use it.";
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

// Without `source`, which is where frames are computed, the visitor chooses between the server and this
// browser.
export default function mount({ element, props, server, trigger, watch, source = null }) {
  const where = source
    ? { source }
    : new Where(element, props, server, {
        models: () => models(),
        onChange: () => stop(),
      });
  const button = element.querySelector(".kp-live-go");
  const freeze = element.querySelector(".kp-live-freeze");
  const views = [...element.querySelectorAll("[name=live-view]")];
  const steady = element.querySelector("[name=live-steady]");
  const rate = element.querySelector(".kp-live-rate");
  const notice = element.querySelector(".kp-live-message");
  const place = element.querySelector(".kp-live-stages");
  const status = element.querySelector("[role=status]");
  const video = element.querySelector("video");
  const expression = element.querySelector("details");
  const figures = createFigures(element.querySelector("tbody"));
  const curves = createCurves(expression.querySelector("div"));

  let shown = document.createElement("canvas"); // the frame that is shown
  let response = null; // the points of the one that is shown
  let stages = [];
  let current = null; // the run: {name, stream, time}; another run is another object
  const models = () => JSON.parse(props.value);

  function showNotice(sentence) {
    if (notice.textContent === sentence) return;
    notice.innerHTML = sentence ? '<div class="kp-notice kp-error"><p></p></div>' : "";
    if (sentence) notice.querySelector("p").textContent = sentence;
  }

  // The pictures for the chosen models and view; what is shown is drawn again without the server.
  function layOut() {
    const systems = models().map((name) => ({ name, ...props.systems[name] }));
    const { value } = views.find((view) => view.checked);
    const groups = value === "tiles" && systems.length ? systems.map((system) => [system]) : [systems];
    stages = groups.map((group, at) => createStage(group, props.contours, at ? "" : OFF));
    place.replaceChildren(...stages.map((stage) => stage.figure));
    element.dataset.view = value;
    redraw();
  }

  function redraw() {
    if (response) for (const stage of stages) stage.draw(shown, response, steady.checked);
  }

  function choose() {
    where.explain?.();
    figures.reset(models().map((name) => ({ name, ...props.systems[name] })));
    layOut();
  }

  async function start() {
    showNotice("");
    if (!navigator.mediaDevices) {
      showNotice("Browsers give the camera to secure pages only; open this page by its https address.");
      return;
    }
    const run = { name: crypto.randomUUID(), stream: null, time: -1 }; // `time` is the last frame's
    current = run;
    button.textContent = "Stop camera";
    let stream;
    try {
      await where.source.prepare(models(), (words) => {
        if (current === run) rate.textContent = words;
      });
    } catch (error) {
      if (current !== run) return;
      // Frames go to the server only when the visitor starts the camera with that chosen.
      const isServer = where.recover?.();
      stop(isServer ? `${error.message} Press Start camera to go on with the server.` : error.message);
      return;
    }
    if (current !== run) return;
    where.explain?.();
    rate.textContent = "";
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
      // Each lane has a frame on its way.
      await Promise.all(Array.from({ length: where.source.lanes }, () => follow(run)));
    } catch (error) {
      if (current === run) stop(`The camera stopped (${error.message || error.name}); press Start camera to go on.`);
    }
  }

  // The next frame of a run that no lane has taken, drawn into a canvas; null once the run has ended.
  async function take(run, canvas) {
    while (current === run) {
      if (video.currentTime !== run.time && video.videoWidth) {
        run.time = video.currentTime;
        const width = Math.min(MAX_WIDTH, video.videoWidth);
        canvas.width = width;
        canvas.height = Math.round((width * video.videoHeight) / video.videoWidth);
        canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
        return canvas;
      }
      await pause(5);
    }
    return null;
  }

  // A lane's next frame is taken when the points of its last one are there. Each is shown
  // with its own points, because points of an earlier frame would seem wrong on a head that moves.
  async function follow(run) {
    let spare = document.createElement("canvas");
    for (let frame = await take(run, spare); frame; frame = await take(run, spare)) {
      const start = performance.now();
      const answer = await where.source.look({
        models: models(),
        camera: run.name,
        seconds: start / 1000,
        expression: expression.open,
        frame,
      });
      if (current !== run) return;
      if (!answer || answer.error) {
        stop(answer?.error ?? "The server does not answer; reload the page, then start the camera again.");
      } else if (answer.busy) {
        rate.textContent = "Many cameras are on: waiting for a turn";
        await pause(RETRY_DELAY);
      } else {
        [shown, spare] = [frame, shown];
        show(answer, start);
      }
    }
  }

  function show(answer, start) {
    response = answer;
    element.classList.add("kp-on");
    freeze.disabled = false;
    redraw();
    showNotice(answer.unavailable.join(" "));
    if ("expression" in answer) curves.add(start / 1000, answer.expression);
    const now = performance.now();
    const second = figures.add(now, answer.models, props.baseline);
    if (second === null) return;
    const faces = answer.faces.length ? "" : " · no face detected";
    rate.textContent = `${second.toFixed(1)} frames a second · ${formatDuration(now - start)} from camera to points${faces}`;
  }

  function stop(sentence = "") {
    if (!current) return;
    release(current);
    current = response = null;
    video.srcObject = null;
    element.classList.remove("kp-on");
    for (const stage of stages) stage.clear();
    shown.width = 0;
    curves.reset();
    choose();
    button.textContent = "Start camera";
    freeze.disabled = true;
    rate.textContent = "";
    status.textContent = "The camera is off.";
    showNotice(sentence);
  }

  button.addEventListener("click", () => (current ? stop() : start()));
  freeze.addEventListener("click", () => {
    const isOffered = offer("kp-freeze", { frame: shown, isLocal: where.isBrowser });
    if (isOffered) trigger("freeze", { picture: shown.toDataURL("image/jpeg", FROZEN_QUALITY) });
    const tabs = [...document.querySelectorAll('[role="tab"]')];
    tabs.find((tab) => tab.textContent.trim() === "Compare").click();
  });
  for (const view of views) view.addEventListener("change", layOut);
  steady.addEventListener("change", redraw);
  expression.addEventListener("toggle", curves.reset);
  document.addEventListener("visibilitychange", () => document.hidden && stop());
  addEventListener("pagehide", () => stop());
  // Another tab of this page hides the element, and then it has no size.
  new ResizeObserver(() => element.getClientRects().length || stop()).observe(element);
  watch("value", choose);
  choose();
}
