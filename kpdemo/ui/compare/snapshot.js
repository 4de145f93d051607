// The pictures as they are on the screen, as one PNG file.

const MAX_PIXELS = 16_000_000;
const LINE = 26; // pixels a line of the heading
const COPIED = [
  "fill",
  "fill-opacity",
  "font-family",
  "font-size",
  "opacity",
  "paint-order",
  "r",
  "stroke",
  "stroke-dasharray",
  "stroke-linecap",
  "stroke-linejoin",
  "stroke-opacity",
  "stroke-width",
  "vector-effect",
];

const fontOf = ({ fontWeight, fontSize, fontFamily }) => `${fontWeight} ${fontSize} ${fontFamily}`;

// A copy of a picture that needs no style sheet, without what is hidden.
function standalone(svg, width, height) {
  const copy = svg.cloneNode(true);
  const originals = [...svg.querySelectorAll("*")];
  for (const [at, node] of [...copy.querySelectorAll("*")].entries()) {
    const style = getComputedStyle(originals[at]);
    if (style.display === "none" || style.visibility === "hidden") node.remove();
    else node.setAttribute("style", COPIED.map((name) => `${name}: ${style.getPropertyValue(name)}`).join("; "));
  }
  copy.removeAttribute("style");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  return copy;
}

async function drawPicture(context, svg, [x, y, width, height], scale) {
  const text = new XMLSerializer().serializeToString(standalone(svg, scale * width, scale * height));
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  context.drawImage(image, x, y, width, height);
}

function drawText(context, node, [x, y, , height]) {
  const style = getComputedStyle(node);
  const dot = node.querySelector("i");
  context.font = fontOf(style);
  context.textBaseline = "middle";
  if (dot) {
    context.fillStyle = getComputedStyle(dot).backgroundColor;
    context.beginPath();
    context.arc(x + 12, y + height / 2, 6, 0, 2 * Math.PI);
    context.fill();
  }
  context.fillStyle = style.color;
  context.fillText(node.selectedOptions?.[0].text ?? node.textContent, x + (dot ? 24 : 0), y + height / 2);
}

// The words of an element as lines that are no wider than so many pixels.
function linesOf(context, node, width) {
  context.font = fontOf(getComputedStyle(node));
  const lines = [""];
  for (const word of node.textContent.split(" ").filter(Boolean)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (lines.at(-1) && context.measureText(longer).width > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

// `grid` holds the figures; `heading` is written above them. Resolves to a blob.
export async function snapshot(grid, heading) {
  const all = grid.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const lines = linesOf(context, heading, all.width - 16);
  const top = LINE * lines.length + 8;
  const placed = (node) => {
    const { left, top: y, width, height } = node.getBoundingClientRect();
    return [left - all.left, y - all.top + top, width, height];
  };
  const scale = Math.min(2, Math.sqrt(MAX_PIXELS / (all.width * (all.height + top))));
  canvas.width = Math.round(scale * all.width);
  canvas.height = Math.round(scale * (all.height + top));
  context.scale(scale, scale);
  context.fillStyle = getComputedStyle(grid.querySelector("figure")).backgroundColor;
  context.fillRect(0, 0, all.width, all.height + top);
  context.font = fontOf(getComputedStyle(heading));
  context.fillStyle = getComputedStyle(heading).color;
  for (const [at, line] of lines.entries()) context.fillText(line, 8, LINE * (at + 0.75));
  for (const svg of grid.querySelectorAll("svg")) await drawPicture(context, svg, placed(svg), scale);
  for (const node of grid.querySelectorAll("strong, .kp-meta, select, .kp-chip[aria-pressed=true]")) {
    if (node.checkVisibility()) drawText(context, node, placed(node));
  }
  for (const divider of grid.querySelectorAll(".kp-divider")) {
    context.fillStyle = "white";
    context.fillRect(...placed(divider));
  }
  return new Promise((resolve) => {
    canvas.toBlob(resolve, "image/png");
  });
}
