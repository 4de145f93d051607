/** Faces, their crops and MediaPipe's mesh, in a worker of their own. */
import { CenterFace } from "./centerface.js";
import { cut, square, toPhoto } from "./crop.js";
import { fromFace } from "./crop_rules.js";
import { FaceFinder, FaceTracker, place } from "./detector.js";
import { nearestExpression } from "./expression.js";
import { converted, means } from "./mesh.js";
import { black, fromRgba, grey, toRgba } from "./pixels.js";
import { Pyramid } from "./pyramid.js";
import { read } from "./safetensors.js";
import { serve } from "./service.js";
import { ERRORS, start } from "./session.js";

/** @type {any} */
let settings;
/** @type {any} */
let landmarker;
/** @type {() => Promise<any>} */
let openFollower;
/** @type {any} */
let follower;
/** @type {() => Promise<any>} */
let openExpressions;
/** @type {any} */
let expressions;
/** @type {FaceFinder} */
let finder;
/** @type {FaceTracker} */
let tracker;
/** @type {import("./mesh.js").Readings} */
let readings;
/** @type {OffscreenCanvasRenderingContext2D | null} What pictures are read from; a camera's are all of one size. */
let paper = null;

serve({
  /** Load MediaPipe and CenterFace, and run them once. */
  async open({ runtime, vision, models, settings: all }) {
    settings = all;
    const [ort, { FaceDetector, FaceLandmarker }, { default: factory }] = await Promise.all([
      start(runtime),
      import(vision.module),
      import(vision.loader),
    ]);
    const task = (/** @type {any} */ kind, /** @type {ArrayBuffer} */ model, /** @type {object} */ options) => {
      // MediaPipe forgets its loader with every task that it has made.
      /** @type {any} */ (self).ModuleFactory = factory;
      return kind.createFromOptions(
        { wasmLoaderPath: "", wasmBinaryPath: vision.wasm },
        { baseOptions: { modelAssetBuffer: new Uint8Array(model), delegate: "CPU" }, ...options },
      );
    };
    const detector = await task(FaceDetector, models.detector, {
      minDetectionConfidence: settings.detector.hint_score,
    });
    landmarker = await task(FaceLandmarker, models.landmarker, { numFaces: settings.landmarker.faces_a_crop });
    openFollower = () => task(FaceLandmarker, models.landmarker, { runningMode: "VIDEO" });
    openExpressions = () =>
      task(FaceLandmarker, models.landmarker, {
        numFaces: settings.expression.faces_a_crop,
        outputFaceBlendshapes: true,
        outputFacialTransformationMatrixes: true,
      });
    const session = await ort.InferenceSession.create(new Uint8Array(models.centerface), {
      executionProviders: ["wasm"],
      logSeverityLevel: ERRORS,
    });
    const centerface = new CenterFace(async (planes, height, width) => {
      const pixels = new ort.Tensor("float32", planes, [1, 3, height, width]);
      const outputs = await session.run({ [session.inputNames[0]]: pixels });
      return settings.centerface.outputs.map((/** @type {string} */ name) => outputs[name].data);
    }, settings.centerface);
    const blazeface = (/** @type {import("./pixels.js").Picture} */ picture) =>
      detections(detector.detect(image(picture)), picture.width);
    finder = new FaceFinder(blazeface, centerface, settings.detector);
    tracker = new FaceTracker(finder, settings.tracker);
    readings = { ...settings.mesh, matrix: read(models.mesh, ["matrix"]).matrix };
    const { pixels } = settings.landmarker;
    const blank = black(pixels, pixels, 3);
    await finder.find(blank);
    finder.detectAt(new Pyramid(blank), { x: pixels / 2, y: pixels / 2, width: pixels / 3, score: 0, roll: 0 });
    landmarker.detect(image(blank));
  },

  /**
   * The faces of a photo, searched for unless they are given, and their crops for these nets, which are
   * told as soon as they are there; then MediaPipe's meshes and the first face's expression, if they are
   * wanted.
   */
  async look({ source, faces: given, nets, mediapipe, expression, time }, tell) {
    const started = performance.now();
    const photo = picture(source);
    const loaded = performance.now();
    /** @type {import("./crop_rules.js").Face[]} */
    const faces = given ?? (await (time === null ? finder : tracker).find(photo));
    const kept = faces.slice(0, settings.max_faces);
    const detect = performance.now() - loaded;
    const crops = kept.length ? crop(photo, kept, nets) : {};
    tell({
      width: photo.width,
      height: photo.height,
      faces: kept,
      facesLeftOut: faces.length - kept.length,
      crops,
      load: loaded - started,
      detect,
    });
    const begun = performance.now();
    if (mediapipe && time !== null) follower ??= await openFollower();
    const meshes = mediapipe ? kept.map((face) => mesh(photo, face, kept.length === 1 ? time : null)) : [];
    const milliseconds = performance.now() - begun;
    return {
      meshes: meshes.map((points) => points && { keypoints: points, converted: converted(points, readings) }),
      milliseconds,
      expression: expression && kept.length ? await express(photo, kept[0]) : null,
    };
  },
});

/**
 * @param {{bitmap?: ImageBitmap, data?: Uint8ClampedArray, width: number, height: number}} source
 * @returns {import("./pixels.js").Picture} RGB, on white where it is transparent.
 */
function picture({ bitmap, data, width, height }) {
  if (data?.every((value, at) => at % 4 !== 3 || value === 255)) return fromRgba(data, width, height);
  if (paper?.canvas.width !== width || paper.canvas.height !== height) paper = canvas(width, height);
  const context = paper;
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap ?? layer(/** @type {Uint8ClampedArray} */ (data), width, height), 0, 0);
  bitmap?.close();
  return fromRgba(context.getImageData(0, 0, width, height).data, width, height);
}

/**
 * @param {Uint8ClampedArray} data
 * @param {number} width
 * @param {number} height
 * @returns {OffscreenCanvas} What can be drawn on others.
 */
function layer(data, width, height) {
  const context = canvas(width, height);
  context.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0);
  return context.canvas;
}

/**
 * @param {number} width
 * @param {number} height
 */
function canvas(width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser has no memory for the picture");
  return context;
}

/** @param {import("./pixels.js").Picture} picture */
function image(picture) {
  return new ImageData(toRgba(picture), picture.width, picture.height);
}

/**
 * @param {import("./pixels.js").Picture} photo
 * @param {import("./crop_rules.js").Face[]} faces
 * @param {Record<string, any>} nets The nets' configs.
 */
function crop(photo, faces, nets) {
  /** @type {import("./pixels.js").Picture | null} */
  let shade = null;
  return Object.fromEntries(
    Object.entries(nets).map(([name, { input, framing }]) => {
      const started = performance.now();
      if (input.channels === 1) shade ??= grey(photo);
      const source = input.channels === 1 && shade ? shade : photo;
      const crops = faces.map((face) => fromFace(framing, face, settings.crop_rules));
      const size = input.width * input.height * input.channels;
      const pixels = new Uint8Array(faces.length * size);
      crops.forEach((area, k) => {
        pixels.set(cut(area, source, input.height, input.width).data, k * size);
      });
      return [name, { crops, pixels, milliseconds: performance.now() - started }];
    }),
  );
}

/**
 * MediaPipe's mesh of a face, null where it has none.
 * @param {import("./pixels.js").Picture} photo
 * @param {import("./crop_rules.js").Face} face
 * @param {number | null} time Of the frame in milliseconds; null for a photo.
 * @returns {import("./crop.js").Point[] | null}
 */
function mesh(photo, face, time) {
  if (time !== null) {
    const whole = {
      x: (photo.width - 1) / 2,
      y: (photo.height - 1) / 2,
      width: photo.width,
      height: photo.height,
      roll: 0,
    };
    const followed = nearest(follower.detectForVideo(image(photo), time), whole, face);
    if (followed) return followed;
  }
  const { x, y, width, roll } = place(face);
  const { crop: widths, pixels } = settings.landmarker;
  const area = square(x, y, widths * width, roll);
  return nearest(landmarker.detect(image(cut(area, photo, pixels, pixels))), area, face);
}

/**
 * @param {import("./pixels.js").Picture} photo
 * @param {import("./crop_rules.js").Face} face
 */
async function express(photo, face) {
  expressions ??= await openExpressions();
  const { x, y, width, roll } = place(face);
  const { crop: widths, pixels, nose_tip: tip } = settings.expression;
  const area = square(x, y, widths * width, roll);
  return nearestExpression(expressions.detect(image(cut(area, photo, pixels, pixels))), tip, roll);
}

/**
 * @param {{faceLandmarks: {x: number, y: number}[][]}} result
 * @param {import("./crop.js").Crop} area
 * @param {import("./crop_rules.js").Face} face
 */
function nearest(result, area, face) {
  let first = null;
  let least = settings.landmarker.too_far;
  for (const landmarks of result.faceLandmarks) {
    const points = toPhoto(
      area,
      landmarks.map(({ x, y }) => [2 * x - 1, 2 * y - 1]),
    );
    const gaps = means(points, settings.landmarker.eyes_nose_mouth).map(([x, y], k) =>
      Math.hypot(x - face.keypoints[k][0], y - face.keypoints[k][1]),
    );
    const distance = gaps.reduce((sum, gap) => sum + gap) / gaps.length / place(face).width;
    if (distance <= least) [first, least] = [points, distance];
  }
  return first;
}

/**
 * @param {any} result BlazeFace's on a square picture of that side.
 * @param {number} side
 * @returns {import("./detector.js").Detection[]}
 */
function detections(result, side) {
  return result.detections.map((/** @type {any} */ { boundingBox, keypoints, categories }) => {
    const { originX, originY, width, height } = boundingBox;
    return {
      middle: [((originX + width / 2) * 2) / side - 1, ((originY + height / 2) * 2) / side - 1],
      half: (width + height) / 2 / side,
      points: keypoints.slice(0, 6).map((/** @type {any} */ { x, y }) => [2 * x - 1, 2 * y - 1]),
      score: categories[0].score,
    };
  });
}
