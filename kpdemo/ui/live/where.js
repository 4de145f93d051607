// Where the camera's frames are computed on the page with a server.

import { Place } from "../shared/place.js";
import { localSource } from "./local.js";

const QUALITY = 0.85;

const serverSource = (server) => ({
  lanes: 1,
  prepare: async () => {},
  look: ({ frame, ...more }) => server.look({ ...more, picture: frame.toDataURL("image/jpeg", QUALITY) }),
});

// `onChange` is called when the visitor changes it; `models` gives those that are ticked.
export class Where extends Place {
  constructor(element, { local, catalogue, gpu }, server, { onChange, models }) {
    super(element, {
      name: "live-place",
      local,
      initial: gpu ? "server" : "browser",
      reason: gpu
        ? "On the server by default, which has a GPU."
        : "In this browser by default: the server has no GPU for it, and no frame leaves your device.",
      action: "Start camera",
      models,
      onChange,
    });
    this.sources = { server: serverSource(server), browser: this.local && localSource(this.local, catalogue) };
  }

  // What prepares the models, and looks at frames.
  get source() {
    return this.sources[this.chosen];
  }
}
