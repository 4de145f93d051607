// Where the camera's frames are computed in this browser: what live.js shows of a frame, from the engine's
// result on it.

import { eyeDistance, measure, prepareMarkups, summarize } from "../compare/reference.js";
import { readingsOf } from "../compare/value.js";
import { FaceFilter, jitter } from "./steady.js";

const SAME = 0.5; // of a face's width: how far it may go from one frame to the next

const center = ({ box: [x0, y0, x1, y1] }) => [(x0 + x1) / 2, (y0 + y1) / 2];
const width = ({ box: [x0, , x1] }) => x1 - x0;

// The filters of each face that was there in the last frame too, by model.
class Tracks {
  #last = []; // {center, width, models}

  // A face's tracks, by model; faces that are new start anew.
  of(faces) {
    const before = [...this.#last];
    this.#last = faces.map((face) => {
      const [x, y] = center(face);
      const distances = before.map((track) => Math.hypot(track.center[0] - x, track.center[1] - y));
      const nearest = distances.indexOf(Math.min(...distances));
      const isSame = nearest >= 0 && distances[nearest] < SAME * width(face);
      const [track] = isSame ? before.splice(nearest, 1) : [{ models: {} }];
      return { center: [x, y], width: width(face), models: track.models };
    });
    return this.#last.map(({ models }) => models);
  }
}

export function localSource(local, { markups: plain, baseline, low }, ready = Promise.resolve()) {
  const markups = prepareMarkups(plain);
  let camera = "";
  let tracks = new Tracks();

  // One model's steadied points on a face, and how much they jitter.
  function follow(face, track, name, answer, seconds) {
    const { filter, last } = track[name] ?? { filter: new FaceFilter(), last: null };
    const steady = filter.steady(answer.keypoints, width(face), seconds);
    const unit = (points) => eyeDistance({ markup: answer.markup, points }, markups);
    const pair = last && [
      jitter(last.raw, answer.keypoints, unit(answer.keypoints)),
      jitter(last.steady, steady, unit(steady)),
    ];
    track[name] = { filter, last: { raw: answer.keypoints, steady } };
    return { steady, jitter: pair?.includes(null) ? null : pair };
  }

  function show(result, seconds) {
    const { faces, timings } = result;
    const jitters = {};
    const drawn = tracks.of(faces).map((track, f) => {
      const answers = {};
      for (const name of Object.keys(track)) if (!faces[f].models[name]) delete track[name];
      for (const [name, answer] of Object.entries(faces[f].models)) {
        const followed = follow(faces[f], track, name, answer, seconds);
        if (followed.jitter) jitters[name] = [...(jitters[name] ?? []), followed.jitter];
        const unsure = answer.confidence?.flatMap((share, k) => (share < low ? [k] : [])) ?? [];
        answers[name] = { markup: answer.markup, raw: answer.keypoints, steady: followed.steady, unsure };
      }
      return { width: width(faces[f]), answers };
    });
    const readable = (answer) =>
      answer && { markup: answer.markup, points: answer.keypoints, readings: readingsOf(answer) };
    const figures = (name) => {
      const measures = faces.map(({ models }) => measure(readable(models[name]), readable(models[baseline]), markups));
      const pairs = jitters[name];
      return {
        milliseconds: timings[name],
        alone: timings.load + timings.detect + timings[name],
        jitter: pairs && [0, 1].map((at) => pairs.reduce((sum, pair) => sum + pair[at], 0) / pairs.length),
        apart: summarize(measures, markups).share,
      };
    };
    const names = Object.keys(result.devices);
    return {
      faces: drawn,
      models: Object.fromEntries(names.map((name) => [name, figures(name)])),
      unavailable: Object.values(result.unavailable),
    };
  }

  return {
    // The faces of the next frame are searched for while the nets predict on this one.
    lanes: 2,
    // Loads what these models need; `say` gets what is being loaded, in words.
    async prepare(models, say) {
      await ready;
      await local.get(models, say);
    },
    async look({ models, camera: name, seconds, expression, frame }) {
      const engine = await local.get(models);
      if (name !== camera) [camera, tracks] = [name, new Tracks()];
      const result = await engine.follow(frame, { models, expression });
      return { ...show(result, seconds), ...(expression && { expression: result.expression }) };
    },
  };
}
