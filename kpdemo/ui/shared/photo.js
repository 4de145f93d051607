// A picture file that stays in this browser, as an upright canvas.

const MAX_BYTES = 50_000_000;
const MAX_PIXELS = 40_000_000;
const MIN_SIDE = 16;

// Raises an Error whose message is one sentence for whoever chose the file. What is transparent is white.
export async function readPhoto(file) {
  if (file.size > MAX_BYTES) {
    throw new Error(
      `The file is larger than ${MAX_BYTES / 1_000_000} MB; save the picture smaller, or as JPEG, and choose that.`,
    );
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error(
      "This browser cannot read the file as a picture: it is damaged or of another kind; choose a JPEG, PNG or WebP picture.",
    );
  }
  try {
    const { width, height } = bitmap;
    if (width * height > MAX_PIXELS) {
      throw new Error(`The picture has more than ${MAX_PIXELS / 1_000_000} megapixels; make it smaller and choose that.`);
    }
    if (Math.min(width, height) < MIN_SIDE) {
      throw new Error(`The picture is smaller than ${MIN_SIDE} pixels; choose a larger one.`);
    }
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.fillStyle = "white";
    pen.fillRect(0, 0, width, height);
    pen.drawImage(bitmap, 0, 0);
    return canvas;
  } finally {
    bitmap.close();
  }
}
