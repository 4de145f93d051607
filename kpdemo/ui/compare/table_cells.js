// The table's columns, cells and texts for a comparison, wherever it was computed. `facts` has, by model, its
// number of `parameters` (null if unknown) and what it was `trained` on.

import { plural } from "../shared/common.js";
import { formatShare } from "./finding.js";

const GROUPS = ["jaw", "brows", "nose", "eyes", "mouth"];
const STAGES = { load: "read the photo", wait: "wait in the queue", detect: "find faces" };
const BRIEF = 0.5; // milliseconds: shorter stages are left out
const FITTED = "MediaPipe’s mesh is first converted to iBUG’s and Kaggle’s points by a map fitted on training faces.";

const devicesOf = ({ data }) => [...new Set(data.panels.map(({ device }) => device))];

// Each column's key and title, the title of the columns that it is `among`, and one for when it stands alone.
export function columnsOf(comparison) {
  const { reference, isTruth } = comparison;
  const devices = devicesOf(comparison);
  // Where models ran on several devices, each row says its own.
  const time = devices.length === 1 ? `Milliseconds (${devices[0]})` : "Milliseconds";
  const distance = isTruth
    ? "Error (pixels, % of eye distance)"
    : `Distance to ${reference?.title ?? "a reference"} (% of eye distance)`;
  const column = (key, title, among = "", alone = title) => ({ key, title, among, alone });
  return [
    column("model", "Model"),
    column("keypoints", "Points"),
    column("end", "end to end", time, "ms, end to end"),
    column("landmarks", "landmarks", time, "ms, landmarks"),
    ...(isTruth ? [column("pixels", "pixels", distance, "Error, px")] : []),
    column("distance", "all", distance, isTruth ? "Error, %" : distance),
    ...GROUPS.map((group) => column(group, group, distance, `${group}, %`)),
    column("parameters", "Parameters"),
    column("trained", "Trained on"),
  ];
}

const figure = (number, format, unknown = "–") =>
  Number.isFinite(number) ? [format(number), number] : [unknown, null];

// A number of parameters: 5.9 M, 313.9 k, 870.
function formatCount(count) {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  return count >= 1e3 ? `${(count / 1e3).toFixed(1)} k` : String(count);
}

// A model's cells by column: the text, and the number to sort by if there is one.
export function cellsOf(comparison, panel, facts) {
  const { data } = comparison;
  const { share, pixels, groups } = comparison.summary(panel);
  const { parameters, trained } = facts[panel.name] ?? {};
  const isAnswering = panel.faces.some(Boolean);
  const landmarks = panel.milliseconds;
  const end = Number.isFinite(landmarks) ? data.result.timings.detect + landmarks * data.faces.length : null;
  const device = devicesOf(comparison).length > 1 ? ` ${panel.device}` : "";
  const time = (milliseconds) => milliseconds.toFixed(1) + device;
  const noDistance = comparison.isReference(panel) ? "reference" : "–";
  return {
    model: [panel.title, null],
    keypoints: isAnswering ? [String(panel.names.length), panel.names.length] : ["–", null],
    end: figure(end, time),
    landmarks: figure(landmarks, time),
    pixels: figure(pixels, (value) => `${value.toFixed(1)} px`),
    distance: figure(share, formatShare, isAnswering ? noDistance : "no face here"),
    ...Object.fromEntries(GROUPS.map((group) => [group, figure(groups[group], (value) => value.toFixed(1))])),
    parameters: figure(parameters, formatCount),
    trained: [trained ?? "–", null],
  };
}

// What the distances mean.
export function meaningOf({ data, reference, isTruth }) {
  const sentences = isTruth
    ? [
        "Error is the mean distance to the ground truth over the places that both markups have, in percent of the distance between its outer eye corners (NME) and in pixels of the photo: smaller is better.",
        FITTED,
      ]
    : [
        `Distance is the mean distance to ${reference?.title ?? "the reference"} over the places that both markups have, in percent of the distance between the outer eye corners: smaller is closer.`,
        FITTED,
        "It is not an error, since the reference is a model’s output too.",
      ];
  const count = data.faces.length;
  if (count > 1) sentences.push(`With ${plural(count, "face")}, all figures are means over the faces.`);
  return sentences.join(" ");
}

// How long the whole comparison took, and its stages.
export function timingsOf({ all, data }) {
  const { total, ...stages } = data.result.timings;
  const titles = Object.fromEntries(all.map(({ name, title }) => [name, title]));
  const parts = Object.entries(stages)
    .filter(([, milliseconds]) => milliseconds >= BRIEF)
    .map(([stage, milliseconds]) => `${STAGES[stage] ?? titles[stage] ?? stage} ${milliseconds.toFixed(0)} ms`);
  return `Total ${total.toFixed(0)} ms: ${parts.join("; ")}.`;
}
