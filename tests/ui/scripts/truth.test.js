// Run by tests/ui/test_truth_scripts.py, which computes in `cases.json` what Python answers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { describeTruth, truthFrom, truthOfFaces } from "./compare/local_truth.js";
import { readTruth } from "./compare/truth_file.js";

const { files, results, catalogue } = JSON.parse(readFileSync(new URL("./cases.json", import.meta.url), "utf8"));
const NEAR = 1e-3; // Python rounds to float32

function assertNear(actual, expected) {
  assert.equal(actual.length, expected.length);
  actual.flat().forEach((number, k) => {
    const other = expected.flat()[k];
    if (number === null || other === null) assert.equal(number, other);
    else assert.ok(Math.abs(number - other) < NEAR, `${number} is not ${other}`);
  });
}

for (const { title, name, text, photo, sets, sentence } of files) {
  test(`a file: ${title}`, () => {
    const read = () => readTruth(name, text, photo, catalogue.markups);
    if (sentence) {
      assert.throws(read, { message: sentence });
      return;
    }
    const found = read();
    assert.deepEqual(Object.keys(found), Object.keys(sets));
    for (const [set, { markup, faces }] of Object.entries(sets)) {
      assert.equal(found[set].markup, markup);
      faces.forEach((points, f) => assertNear(found[set].faces[f], points));
    }
  });
}

for (const { title, name, text, result, faces, sentence, ...words } of results) {
  test(`a result with ${title}`, () => {
    const read = () => truthFrom(name, text, result, catalogue);
    if (sentence) {
      assert.throws(read, { message: sentence });
      return;
    }
    const truth = read();
    const found = truthOfFaces(truth, result.faces);
    assert.deepEqual(found.map(Boolean), faces.map(Boolean));
    found.forEach((points, f) => points && assertNear(points, faces[f]));
    assert.deepEqual(describeTruth(truth, result, catalogue), words);
  });
}
