// Steady keypoints of a moving face, and how much keypoints jitter: `kpdemo/keypoints/steady.py` and
// `one_euro.py`, which say why. Points are [x, y], complex numbers too.

const WHOLE = [1, 20, 2]; // Hz at rest, growth with each unit a second, Hz of the speed: the whole face's,
const WITHIN = [0.7, 16, 3]; // and those of points within it

const share = (cutoff, step) => {
  const angle = 2 * Math.PI * cutoff * step;
  return angle / (angle + 1);
};
const middle = (points) => [0, 1].map((axis) => points.reduce((sum, at) => sum + at[axis], 0) / points.length);
const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
const times = (a, b) => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
const over = (a, b) => times(a, [b[0] / (b[0] ** 2 + b[1] ** 2), -b[1] / (b[0] ** 2 + b[1] ** 2)]);

// The 1€ filter of N points, each by its own speed.
class OneEuro {
  constructor([minCutoff, beta, speedCutoff]) {
    Object.assign(this, { minCutoff, beta, speedCutoff, seconds: 0, raw: null });
  }

  filter(points, seconds, unit = 1) {
    const step = seconds - this.seconds;
    if (!this.raw || step <= 0) {
      this.velocity = points.map(() => [0, 0]);
      this.filtered = points;
    } else {
      const rate = share(this.speedCutoff, step);
      this.filtered = points.map((at, k) => {
        const velocity = this.velocity[k];
        for (const axis of [0, 1]) {
          velocity[axis] += rate * ((at[axis] - this.raw[k][axis]) / step / unit - velocity[axis]);
        }
        const part = share(this.minCutoff + this.beta * Math.hypot(...velocity), step);
        return [0, 1].map((axis) => this.filtered[k][axis] + part * (at[axis] - this.filtered[k][axis]));
      });
    }
    this.raw = points;
    this.seconds = seconds;
    return this.filtered;
  }
}

// The factor and the shift, complex, that lay points on others with the least squares.
function similarity(source, target) {
  const [from, to] = [middle(source), middle(target)];
  let [real, imaginary, power] = [0, 0, 0];
  for (const [k, at] of source.entries()) {
    const [a, b] = [minus(at, from), minus(target[k], to)];
    real += a[0] * b[0] + a[1] * b[1];
    imaginary += a[0] * b[1] - a[1] * b[0];
    power += a[0] ** 2 + a[1] ** 2;
  }
  const factor = power > 0 && (real || imaginary) ? [real / power, imaginary / power] : [1, 0];
  return [factor, minus(to, times(factor, from))];
}

// Filters the points of one model on one face, frame by frame.
export class FaceFilter {
  #shape = null;
  #place = new OneEuro(WHOLE);
  #turn = new OneEuro(WHOLE);
  #within = new OneEuro(WITHIN);
  #angle = 0;

  // The steadied points in the same pixels; `width` is that of the face.
  steady(points, width, seconds) {
    if (!this.#shape) {
      const center = middle(points);
      this.#shape = points.map((at) => minus(at, center).map((side) => side / width));
    }
    const [factor, shift] = similarity(this.#shape, points);
    const within = this.#within.filter(
      points.map((at) => over(minus(at, shift), factor)),
      seconds,
    );
    const [place] = this.#place.filter([shift], seconds, width);
    // Angles go on beyond half a turn, so that no mean of two is on the other side.
    const turned = times(factor, [Math.cos(this.#angle), -Math.sin(this.#angle)]);
    this.#angle += Math.atan2(turned[1], turned[0]);
    const [[size, angle]] = this.#turn.filter([[Math.log(Math.hypot(...factor)), this.#angle]], seconds);
    const whole = [Math.exp(size) * Math.cos(angle), Math.exp(size) * Math.sin(angle)];
    return within.map((at) => {
      const [x, y] = times(whole, at);
      return [x + place[0], y + place[1]];
    });
  }
}

// How far points moved within the face from one frame to the next, on average, in percent of `unit`, its
// eye distance; null without one.
export function jitter(before, after, unit) {
  if (!unit) return null;
  const [factor, shift] = similarity(before, after);
  const moves = before.map((at, k) => {
    const [x, y] = times(factor, at);
    return Math.hypot(after[k][0] - x - shift[0], after[k][1] - y - shift[1]);
  });
  return (100 * moves.reduce((sum, move) => sum + move, 0)) / moves.length / unit;
}
