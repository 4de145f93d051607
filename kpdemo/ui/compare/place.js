// Where photos are compared on the page with a server: there, or in this browser. With the browser chosen,
// a box of the page's own takes them, since Gradio's sends every file to the server.

import { chosenNames, onChoose } from "../shared/choice.js";
import { decodeBase64 } from "../shared/common.js";
import { isOwnMachine, Place } from "../shared/place.js";
import { mountLocal } from "./local.js";
import { shownResult } from "./panels.js";

const RETRY_DELAY = 500; // milliseconds until the next try when the server has enough to do
const LIMITS = "Heatmaps, your own model and class projects need the server.";

function preference(gpu) {
  if (gpu) return ["server", "On the server by default, which has a GPU."];
  if (isOwnMachine()) return ["server", "On the server by default, which is your own machine."];
  return ["browser", "In this browser by default: the server has no GPU, and no photo leaves your device."];
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// A canvas' or a bitmap's pixels as a data URI.
function encode(picture) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL();
}

export default function mount({ element, props, server, trigger }) {
  const { local, catalogue, gpu } = props;

  async function compareThere(picture, { models = chosenNames() } = {}) {
    for (;;) {
      const answer = await server.look({ picture: encode(picture), models });
      if (!answer.busy && !answer.panels) throw new Error(answer.error);
      if (answer.panels) return JSON.parse(answer.panels).result;
      await pause(RETRY_DELAY);
    }
  }

  window.kpdemo = { engine: "server", result: shownResult, compare: compareThere };
  document.addEventListener("kp-result", ({ detail }) => {
    window.kpdemo.result = detail;
  });
  if (!local.base) return; // the Live tab says what is missing

  const [initial, reason] = preference(gpu);
  const place = new Place(element, {
    name: "place",
    local,
    initial,
    reason,
    action: "The next photo",
    limits: LIMITS,
    models: chosenNames,
    onChange: () => {
      apply();
      if (place.isBrowser) here.restore();
      else trigger("returned");
    },
  });
  if (!place.local) return;
  let shown = 0;
  const here = mountLocal(element, {
    catalogue,
    local: place.local,
    chosen: chosenNames,
    show: (panels, table, truth) => {
      shown += 1; // an equal value would not be seen
      props.value = JSON.stringify({ shown, panels, table, truth });
    },
    example: async (number) => {
      const { picture, ...example } = await server.example(number);
      return { blob: new Blob([decodeBase64(picture)]), ...example };
    },
    isOn: () => place.isBrowser,
    // A frame that was not to leave this device does not go to a server elsewhere either.
    takesFrame: ({ isLocal }) => {
      if (isLocal && !isOwnMachine() && !place.isBrowser) {
        place.choose("browser");
        apply();
      }
      return place.isBrowser;
    },
    onLoad: () => place.explain(),
    // The photo is not sent there without the visitor.
    onFailure: ({ message }) => {
      place.recover();
      apply();
      return `${message} The server is chosen instead: choose the photo again to send it there.`;
    },
  });

  async function apply() {
    const { isBrowser } = place;
    document.body.classList.toggle("kp-in-browser", isBrowser);
    window.kpdemo.compare = isBrowser ? here.compare : compareThere;
    window.kpdemo.engine = isBrowser ? null : "server";
    here.say("info", []);
    place.explain();
    if (!isBrowser) return;
    const { backend } = await place.local.size(chosenNames()).catch(() => ({}));
    if (place.isBrowser) window.kpdemo.engine = backend;
  }

  onChoose(here.choose);
  document.addEventListener("kp-busy", ({ detail }) => {
    if (detail > 0 && !place.isBrowser) here.say("info", []); // the server has something to say now
  });
  apply();
}
