// Run by tests/ui/test_engine_scripts.py, which computes in `cases.json` what Python answers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { predictions } from "./engine/answers.js";
import { CenterFace } from "./engine/centerface.js";
import { answer, comparison } from "./engine/comparison.js";
import { cut, toCrop, toPhoto } from "./engine/crop.js";
import { fromFace } from "./engine/crop_rules.js";
import { Files } from "./engine/files.js";
import { converted } from "./engine/mesh.js";
import { readOwnModel } from "./engine/own_model.js";
import { fromRgba, grey, mirrored, part, shrunk, toRgba } from "./engine/pixels.js";
import { Pyramid } from "./engine/pyramid.js";
import { read } from "./engine/safetensors.js";

const cases = JSON.parse(readFileSync(new URL("./cases.json", import.meta.url), "utf8"));

const bytes = (name) => readFileSync(new URL(`./${name}`, import.meta.url));
const picture = ({ file, width, height, channels }) => ({ data: new Uint8Array(bytes(file)), width, height, channels });
const near = (actual, expected, tolerance, message = "") => {
  const [ours, theirs] = [actual.flat(Infinity), expected.flat(Infinity)];
  assert.equal(ours.length, theirs.length);
  const gap = ours.reduce((most, value, k) => Math.max(most, Math.abs(value - theirs[k])), 0);
  assert.ok(gap <= tolerance, `${message} differs by ${gap}`);
};
// Rounding may go the other way for one value in thousands.
const alike = (actual, expected, message) => {
  const ours = actual.data;
  assert.equal(ours.length, expected.length);
  const gaps = Array.from(ours, (value, k) => Math.abs(value - expected[k]));
  assert.ok(
    gaps.every((gap) => gap <= 1),
    `${message} differs`,
  );
  assert.ok(gaps.filter(Boolean).length <= 0.002 * gaps.length, `${message}: ${gaps.filter(Boolean).length} differ`);
};

test("crops are those of OpenCV", () => {
  for (const { photo, crop, side, file } of cases.crops)
    alike(cut(crop, picture(photo), side, side), bytes(file), JSON.stringify(crop));
});

test("grey is that of OpenCV", () => {
  assert.deepEqual(Buffer.from(grey(picture(cases.photo)).data), bytes(cases.grey));
});

test("shrinking is that of OpenCV", () => {
  for (const { size, file } of cases.shrunk) alike(shrunk(picture(cases.photo), ...size), bytes(file), size.join("×"));
});

test("a pyramid's crops are those of Python", () => {
  const pyramid = new Pyramid(picture(cases.photo));
  for (const { crop, side, file } of cases.pyramid) alike(pyramid.cut(crop, side), bytes(file), JSON.stringify(crop));
});

test("pixels survive an image's four channels", () => {
  const photo = picture(cases.photo);
  assert.deepEqual(fromRgba(toRgba(photo), photo.width, photo.height), photo);
});

test("a mirror image is mirrored back", () => {
  const photo = picture(cases.photo);
  assert.notDeepEqual(mirrored(photo), photo);
  assert.deepEqual(mirrored(mirrored(photo)), photo);
});

test("a part beyond the picture is black", () => {
  const photo = picture(cases.photo);
  const around = part(photo, -2, -1, photo.width + 4, photo.height + 2);
  assert.deepEqual(around.data.subarray(0, 3 * around.width), new Uint8Array(3 * around.width));
  assert.deepEqual(part(around, 2, 1, photo.width, photo.height), photo);
});

test("crop coordinates lead to the photo and back", () => {
  for (const { crop, points, photo } of cases.places) {
    near(toPhoto(crop, points), photo, 1e-3);
    near(toCrop(crop, toPhoto(crop, points)), points, 1e-9);
  }
});

test("a face has Python's crop", () => {
  for (const { framing, face, crop } of cases.framings)
    near(Object.values(fromFace(framing, face, cases.rules)), crop, 1e-3, framing.reference);
});

test("a framing that was not measured is an error", () => {
  const framing = { reference: "none", scale: 1 };
  assert.throws(() => fromFace(framing, cases.framings[0].face, cases.rules), /framing none/);
});

test("the mesh has Python's readings", () => {
  const file = bytes("mesh_to_ibug.safetensors");
  const { matrix } = read(file.buffer.slice(file.byteOffset, file.byteOffset + file.length), ["matrix"]);
  assert.deepEqual(matrix.shape, [957, 136]);
  const readings = converted(cases.mesh.points, { ...cases.mesh.settings, matrix });
  assert.deepEqual(Object.keys(readings).sort(), Object.keys(cases.mesh.readings).sort());
  for (const [name, points] of Object.entries(cases.mesh.readings)) near(readings[name], points, 1e-3, name);
});

test("a net's output becomes Python's prediction", () => {
  for (const { name, output, count, settings, expected } of cases.answers) {
    const floats = (values) => values && Float32Array.from(values.flat(Infinity));
    const given = { ...output, keypoints: floats(output.keypoints), heatmaps: floats(output.heatmaps) };
    const ours = predictions(given, count, { ...settings, calibration: floats(settings.calibration) });
    near(
      ours.map((face) => face.keypoints),
      expected.keypoints,
      1e-5,
      name,
    );
    near(
      ours.map((face) => face.confidence),
      expected.confidence,
      1e-5,
      name,
    );
    near(
      ours.map((face) => face.expectedError),
      expected.expected_error,
      1e-3,
      name,
    );
  }
});

test("one pass without heatmaps has no confidence", () => {
  const { output, settings } = cases.answers.find(({ output: { heatmaps } }) => !heatmaps);
  const keypoints = Float32Array.from(output.keypoints.slice(0, 1).flat(Infinity));
  const [face] = predictions({ ...output, keypoints }, 1, { ...settings, calibration: null });
  assert.equal(face.confidence, null);
  assert.equal(face.expectedError, null);
  near(face.keypoints, output.keypoints[0], 1e-6);
});

test("a comparison is that of to_dict", () => {
  for (const { faces, left_out: facesLeftOut, models, expected } of cases.comparisons) {
    const answers = Object.fromEntries(models.map((name) => [name, faces.map((face) => face.answers[name] ?? null)]));
    const readable = Object.fromEntries(
      Object.entries(answers).map(([name, list]) => [
        name,
        list.map(
          (item) => item && answer(item.markup, item.keypoints, item.milliseconds, { confidence: item.confidence }),
        ),
      ]),
    );
    const result = comparison({
      width: 64,
      height: 48,
      faces: faces.map(({ face }) => face),
      facesLeftOut,
      models,
      answers: readable,
      timings: { load: 1.234, total: 5.678 },
      unavailable: {},
      devices: Object.fromEntries(models.map((name) => [name, "cpu"])),
    });
    assert.deepEqual(result, expected);
  }
});

test("candidates of a level are those of the photo", async () => {
  // A net that sees one face of 32 pixels in the middle of whatever it is shown.
  const centerface = new CenterFace(async (_, height, width) => {
    const cells = (height / 4) * (width / 4);
    const planes = [1, 2, 2, 10].map((count) => new Float32Array(count * cells));
    const at = (height / 8) * (width / 4) + width / 8;
    planes[0][at] = 0.9;
    planes[1][at] = planes[1][cells + at] = Math.log(8);
    planes[3][3 * cells + at] = 1; // the left eye is right of the right one
    return planes;
  }, cases.centerface);
  const [first] = await centerface.candidates({
    data: new Uint8Array(96 * 96 * 3),
    width: 96,
    height: 96,
    channels: 3,
  });
  // With a margin of 24 pixels and filled up to 160, the middle is at 80.
  near([first.x, first.y, first.width, first.roll], [57.5, 57.5, 32, 0], 1e-5);
});

const whole = new TextEncoder().encode("whole");
const digest = "0".repeat(64);

test("files that are missing, damaged or half end in one sentence", async (t) => {
  const original = globalThis.fetch;
  t.after(() => {
    globalThis.fetch = original;
  });
  const answers = { "/half": "who", "/long": "whole and more", "/damaged": "whale" };
  globalThis.fetch = async (url) => new Response(answers[new URL(url).pathname], { status: 200 });
  const sizes = Object.fromEntries(
    ["half", "long", "damaged"].map((name) => [name, { bytes: whole.length, sha256: digest }]),
  );
  const files = new Files("http://localhost/", sizes);
  for (const name of Object.keys(sizes))
    await assert.rejects(files.get(name), new RegExp(`^Error: ${name} did not arrive whole`));
  await assert.rejects(files.get("other"), /other is missing on this site/);
  globalThis.fetch = async () => {
    throw new TypeError("network");
  };
  await assert.rejects(files.get("half"), /half could not be loaded/);
});

test("a file is fetched once, and its bytes are counted", async (t) => {
  const original = globalThis.fetch;
  t.after(() => {
    globalThis.fetch = original;
  });
  let requests = 0;
  globalThis.fetch = async () => {
    requests += 1;
    return new Response(whole);
  };
  const hash = Buffer.from(await crypto.subtle.digest("SHA-256", whole)).toString("hex");
  const states = [];
  const files = new Files("http://localhost/", { file: { bytes: 5, sha256: hash } }, (state) => states.push(state));
  const [first, second] = await Promise.all([files.get("file"), files.get("file")]);
  assert.equal(first, second);
  assert.deepEqual(new Uint8Array(first), whole);
  assert.equal(requests, 1);
  assert.deepEqual(states.at(-1), { file: "file", loaded: 5, total: 5 });
});

test("the settings of a visitor's own net are read, or refused in one sentence", () => {
  const settings = { markups: { "nose-1": { mirror: [0] } }, crop_rules: { "keypoint-box": {}, kaggle: {} } };
  const right = { markup: "nose-1", input: { height: 24, width: 16 } };
  assert.deepEqual(readOwnModel(JSON.stringify(right), settings), {
    markup: "nose-1",
    count: 1,
    input: { height: 24, width: 16, channels: 3, mean: [0], std: [1] },
    framing: { reference: "keypoint-box", scale: 1 },
    coordinates: "crop",
    backend: "wasm",
  });
  const refused = [
    [{ markup: "nose-2" }, "markup is one of nose-1"],
    [{ coordinates: "polar" }, "coordinates are one of crop, unit, pixels"],
    [{ crop: { reference: "whole" } }, "crop.reference is one of keypoint-box, kaggle"],
    [{ crop: { scale: 0 } }, "crop.scale is a number above 0"],
    [{ input: undefined }, "input has a height and a width in pixels"],
    [{ input: { height: 24, width: 1.5 } }, "input has a height and a width in pixels"],
    [{ input: { ...right.input, channels: 2 } }, "input.channels are 1 (grey) or 3 (RGB)"],
    [{ input: { ...right.input, mean: [0, 0] } }, "mean and std have one number, or one for each channel"],
    [{ input: { ...right.input, std: [0] } }, "mean and std have one number, or one for each channel"],
  ];
  for (const [change, rule] of refused)
    assert.throws(() => readOwnModel(JSON.stringify({ ...right, ...change }), settings), {
      message: `The .json does not fit: ${rule}.`,
    });
  assert.throws(() => readOwnModel(JSON.stringify({ ...right, batch: 1 }), settings), /unknown setting batch/);
  for (const text of ["{", "null", "[]", "7"]) assert.throws(() => readOwnModel(text, settings), /\.json/);
});
