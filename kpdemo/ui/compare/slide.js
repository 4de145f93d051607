// One large picture: model A's points left of a divider, model B's right of it.

const pair = {
  a: make("select", { class: "kp-select", name: "a", "aria-label": "Model on the left" }),
  b: make("select", { class: "kp-select", name: "b", "aria-label": "Model on the right" }),
};
const range = make("input", { type: "range", min: "0", max: "100", step: "0.5", value: "50", "aria-label": "Divider between the two models" });
const GRIP = 12; // pixels of the screen beside the divider that still take hold of it

function slideScreen() {
  const shows = [pair.a, pair.b].map((select) => panels.findIndex((panel) => panel.name === select.value));
  const says = shows.map(() => make("p", { class: "kp-says" }));
  const titles = shows.map((index) => panels[index].title);
  const screen = pictureOf(shows, says, `${titles[0]} left, ${titles[1]} right of the divider, the arrow keys go from point to point`);
  const side = (select, index) => make("label", { style: `--model: ${panels[index].color}` }, select);
  screen.across = innerWidth < 800 ? ACROSS : 2 * ACROSS; // a large picture needs no larger points
  screen.above = `<defs><clipPath id="kp-clip-0"><rect/></clipPath><clipPath id="kp-clip-1"><rect/></clipPath></defs>`;
  screen.figure = make(
    "figure",
    { class: "kp-panel kp-slide" },
    make("figcaption", {}, side(pair.a, shows[0]), side(pair.b, shows[1])),
    make("div", { class: "kp-stage" }, screen.svg, make("div", { class: "kp-divider" }), range),
    make("div", { class: "kp-both" }, ...says),
  );
  return screen;
}

const share = () => Number(range.value) / 100;

// The divider's x in the photo.
function dividerAt() {
  const [x, , width] = frame();
  return x + share() * width;
}

function splitAt(x) {
  const [left, , width] = frame();
  range.value = (100 * (x - left)) / width;
  divide();
}

const onDivider = (event, { svg, shows }) =>
  shows.length > 1 && Math.abs(toPhoto(svg, event.clientX, event.clientY).x - dividerAt()) * svg.getScreenCTM().a < GRIP;

function divide() {
  const screen = screens.find(({ shows }) => shows.length > 1);
  if (!screen) return;
  const [left, top, width, height] = frame();
  const x = dividerAt();
  for (const [id, from, to] of [[0, left - 1, x], [1, x, left + width + 1]]) {
    const rect = screen.svg.querySelector(`#kp-clip-${id} rect`);
    for (const [name, number] of Object.entries({ x: from, y: top - 1, width: Math.max(to - from, 0), height: height + 2 })) rect.setAttribute(name, number);
  }
  screen.figure.style.setProperty("--split", share());
  const [a, b] = screen.shows.map((index) => panels[index].title);
  range.setAttribute("aria-valuetext", `${percent(share())} ${a}, ${percent(1 - share())} ${b}`);
}
