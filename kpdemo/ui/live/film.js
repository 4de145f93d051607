// Runs once, when Gradio mounts the component: `element`, `props`, `server` and `watch` are its.
// The value is a ticket for files that the server gives out once; from then on only the page has
// them.

const empty = element.querySelector(".kp-empty");
const figure = element.querySelector("figure");
const video = element.querySelector("video");
const links = [...element.querySelectorAll("a")];

const blobOf = (base64, type) => new Blob([bytesOf(base64)], { type });
// The table of a video is long and says much the same in every line, so it comes packed.
const unpacked = async (blob) =>
  new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).blob();

async function load() {
  const files = props.value && (await server.take(props.value));
  if (!files) return;
  const blobs = {
    video: blobOf(files.video, "video/webm"),
    csv: (await unpacked(blobOf(files.csv))).slice(0, undefined, "text/csv"),
  };
  for (const link of links) {
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(blobs[link.dataset.file]);
  }
  video.src = links[0].href;
  empty.hidden = true;
  figure.hidden = false;
}

watch("value", load);
