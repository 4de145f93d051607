// The value is a ticket for files that the server gives out once; from then on only the page has
// them. Without a value, the page forgets them.

import { decodeBase64 } from "../shared/common.js";

const blobOf = (base64, type) => new Blob([decodeBase64(base64)], { type });

// The table of a video is long and repetitive, so it comes compressed.
const decompress = async (blob) => new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).blob();

export default function mount({ element, props, server, watch }) {
  const empty = element.querySelector(".kp-empty");
  const figure = element.querySelector("figure");
  const video = element.querySelector("video");
  const links = [...element.querySelectorAll("a")];

  function show(blobs) {
    // The player reads its address in parts, so it lets go of it before that is revoked.
    video.removeAttribute("src");
    video.load();
    for (const link of links) {
      URL.revokeObjectURL(link.href);
      if (blobs) link.href = URL.createObjectURL(blobs[link.dataset.file]);
      else link.removeAttribute("href");
    }
    if (blobs) video.src = links[0].href;
    empty.hidden = Boolean(blobs);
    figure.hidden = !blobs;
  }

  async function load() {
    const ticket = props.value;
    if (!ticket) {
      show(null);
      return;
    }
    const files = await server.take(ticket);
    if (!files) return;
    const blobs = {
      video: blobOf(files.video, "video/webm"),
      csv: (await decompress(blobOf(files.csv))).slice(0, undefined, "text/csv"),
    };
    if (ticket === props.value) show(blobs); // it may have been cancelled meanwhile
  }

  watch("value", load);
  load();
}
