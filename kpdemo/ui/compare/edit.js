// The edited points of one face, with undo and redo. A state is {source, markup, start, points}: where
// the points began, by the model of that title, and where they are. States are never written on.

export class Edit {
  #past = [];
  #future = [];
  #step = null; // what the last change belongs to

  constructor(state) {
    this.state = state;
  }

  get points() {
    return this.state.points;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  // Changes that follow one another in the same step are undone together.
  change(state, step = null) {
    if (step === null || step !== this.#step) this.#past.push(this.state);
    this.#step = step;
    this.#future = [];
    this.state = state;
  }

  move(k, place, step = null) {
    this.change({ ...this.state, points: this.points.with(k, place) }, step);
  }

  endStep() {
    this.#step = null;
  }

  // Takes back the step that was not ended, if any.
  cancelStep() {
    if (this.#step !== null) this.state = this.#past.pop();
    this.#step = null;
  }

  undo() {
    this.#travel(this.#past, this.#future);
  }

  redo() {
    this.#travel(this.#future, this.#past);
  }

  #travel(from, to) {
    if (!from.length) return;
    to.push(this.state);
    this.state = from.pop();
    this.#step = null;
  }
}
