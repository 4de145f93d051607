// A result as files, as `kpdemo/engine/export.py` writes them; made here, and never on the server's disk.

import { toPts } from "./annotation_files.js";
import { readingsOf } from "./value.js";

const COLUMNS = "file,face,model,markup,index,name,x,y,confidence,note,digest,expected_error";
const FORMULA = /^[=+\-@＝＋－＠]/;
const DECIMALS = 3;

export const cell = (value) => {
  const text = String(value ?? "");
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
// A file's name as a cell that no spreadsheet takes for a formula.
export const nameCell = (file) => (FORMULA.test(file) ? `./${file}` : file);
// As Python writes a float.
const figure = (number) => {
  if (number === null || number === undefined) return null;
  const rounded = Number(number.toFixed(DECIMALS));
  return Number.isInteger(rounded) ? rounded.toFixed(1) : rounded;
};

// A file's name without its ending.
export const stemOf = (file) => file.replace(/\.[^.]*$/, "") || "photo";

// The result of some of its models; of all where `names` is null.
function withModels(result, names) {
  if (!names) return result;
  const chosen = (byModel) => Object.fromEntries(Object.entries(byModel).filter(([name]) => names.includes(name)));
  const faces = result.faces.map((face) => ({ ...face, models: chosen(face.models), missing: chosen(face.missing) }));
  return { ...result, faces };
}

function toCsv(result, file, markups) {
  const name = nameCell(file);
  const rows = [];
  const note = (face, model, why) => rows.push([name, face, model, null, null, null, null, null, null, why, "", null]);
  for (const [f, face] of result.faces.entries()) {
    for (const [model, answer] of Object.entries(face.models)) {
      const tables = [[answer.markup, answer.keypoints, answer.confidence, answer.expected_error]];
      for (const [key, points] of Object.entries(answer)) {
        if (markups[key.replace(/-fitted$/, "")]) tables.push([key, points]);
      }
      for (const [markup, points, confidence, expected] of tables) {
        const { keys } = markups[markup.replace(/-fitted$/, "")];
        for (const [k, at] of points.entries()) {
          const [x, y, share, error] = [...at, confidence?.[k], expected?.[k]].map(figure);
          rows.push([name, f, model, markup, k, keys[k], x, y, share, null, "", error]);
        }
      }
    }
    for (const [model, why] of Object.entries(face.missing)) note(f, model, why);
  }
  for (const [model, why] of Object.entries(result.unavailable)) note(null, model, why);
  for (const notice of result.notices) note(null, null, notice);
  return `${[COLUMNS, ...rows.map((row) => row.map(cell).join(","))].join("\n")}\n`;
}

// The file that a visitor wants: its name, type and text; `kind` is "json", "csv" or "pts", the last of
// one `model` on one `face`. `titles` are what a visitor's own models are called in files, by name.
export function resultFile(result, wanted, names, file, markups, titles = {}) {
  const saved = fileOf(withModels(result, names), wanted, file, markups);
  for (const [secret, title] of saved ? Object.entries(titles) : []) {
    saved.name = saved.name.replaceAll(secret, title.replaceAll("/", "-"));
    saved.text = saved.text.replaceAll(secret, title);
  }
  return saved;
}

function fileOf(chosen, { kind, model, face }, file, markups) {
  const stem = stemOf(file);
  if (kind === "csv") return { name: `${stem}-kpdemo.csv`, type: "text/csv", text: toCsv(chosen, file, markups) };
  if (kind === "json") return { name: `${stem}-kpdemo.json`, type: "application/json", text: JSON.stringify(chosen) };
  const answer = chosen.faces[face]?.models[model];
  const points = answer && readingsOf(answer)["ibug-68"];
  if (!points) return null;
  const several = chosen.faces.length > 1 ? `-face-${face + 1}` : "";
  return { name: `${stem}-${model}${several}.pts`, type: "text/plain", text: toPts(points) };
}
