// The compared photo: its panels, which of them are chosen, and how far they lie from a reference.

import { eyeDistance, gapAt, measure, placeOf, prepareMarkups, references, summarize, TRUTH } from "./reference.js";

export class Comparison {
  panels = []; // those of the chosen models
  references = []; // what they can be held against, the default one first
  reference = null;
  #measures = new Map();

  // `data` is the component's value.
  constructor(data) {
    this.data = data;
    this.markups = prepareMarkups(data.markups);
    this.all = data.panels.map((panel) => ({
      ...panel,
      ...this.markups[panel.markup],
      faces: panel.faces.map(
        (face) =>
          face && { ...face, markup: panel.markup, readings: { ...face.readings, [panel.markup]: face.points } },
      ),
    }));
  }

  // Leaves the models with these names; all of them if null.
  choose(names) {
    this.panels = this.all.filter(({ name }) => !names || names.has(name));
    this.references = references(this.data, this.panels);
    this.#measures.clear();
    this.refer(this.reference?.name);
  }

  // Measures the models against the reference of that name, or the default one if there is none.
  refer(name) {
    this.reference = this.references.find((each) => each.name === name) ?? this.references[0] ?? null;
  }

  get isTruth() {
    return this.reference?.name === TRUTH;
  }

  isReference = ({ name }) => name === this.reference?.name;

  // A panel's distances on each face to a reference, by default the chosen one.
  measures(panel, reference = this.reference) {
    if (!reference || panel.name === reference.name) return panel.faces.map(() => null);
    const key = `${panel.name} ${reference.name}`;
    if (!this.#measures.has(key)) {
      const all = panel.faces.map((answer, f) => measure(answer, reference.answers[f], this.markups));
      this.#measures.set(key, all);
    }
    return this.#measures.get(key);
  }

  summary(panel, faces = null, reference = this.reference) {
    const measures = this.measures(panel, reference);
    return summarize(faces ? faces.map((f) => measures[f]) : measures, this.markups);
  }

  // The reference's eye distance, in pixels, on the largest face inside a part of the photo; or null.
  unit([x, y, width, height]) {
    const inside = ({ box: [x0, y0, x1, y1] }) => x0 < x + width && x1 > x && y0 < y + height && y1 > y;
    const face = this.data.faces.findIndex((each, f) => this.reference?.answers[f] && inside(each));
    return face < 0 ? null : eyeDistance(this.reference.answers[face], this.markups);
  }

  // One place's distance to the reference on a face, or null.
  gap(panel, face, key) {
    if (!this.reference || this.isReference(panel)) return null;
    const measured = this.measures(panel)[face];
    return gapAt(panel.faces[face], this.reference.answers[face], key, measured, this.markups);
  }

  place = (answer, key) => answer && placeOf(answer, key, this.markups);

  // The models that have points.
  get answering() {
    return this.panels.filter(({ faces }) => faces.some(Boolean));
  }

  between = (a, b) => this.summary(a, null, { name: b.name, answers: b.faces });

  // How far two models lie apart, by the eye distance of the second one, or else of the first one.
  #apart(a, b) {
    const apart = this.between(a, b);
    return apart.share === null ? this.between(b, a) : apart;
  }

  // The facts that the finding states.
  facts() {
    const models = this.answering;
    const rows = models
      .filter((panel) => !this.isReference(panel))
      .map((panel) => ({ title: panel.title, ...this.summary(panel) }));
    const pairs = models.flatMap((a, i) =>
      models.slice(i + 1).map((b) => ({ a: a.title, b: b.title, ...this.#apart(a, b) })),
    );
    const { reference, isTruth } = this;
    return { faces: this.data.faces.length, models: models.length, reference, isTruth, rows, pairs };
  }
}
