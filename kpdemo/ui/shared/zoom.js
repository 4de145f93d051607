// Looking closer: one zoom for all pictures, by buttons, keys, wheel, pinch and drag.

const MOST = 16; // times
const DRAG = 4; // pixels of the screen before a press becomes a drag
const zoom = { scale: 1, x: 0, y: 0 }; // x, y: the corner of what is seen, in the photo

let settling = 0;

function fit() {
  zoom.scale = 1;
  [zoom.x, zoom.y] = base();
}

// The part of the photo that is seen: x, y, width, height.
function frame() {
  const [, , width, height] = base();
  return [zoom.x, zoom.y, width / zoom.scale, height / zoom.scale];
}

function look() {
  const [x, y, width, height] = frame();
  for (const { svg, across } of screens) {
    svg.setAttribute("viewBox", `${fixed(x - 0.5)} ${fixed(y - 0.5)} ${fixed(width)} ${fixed(height)}`);
    svg.style.setProperty("--unit", `${width / (across ?? ACROSS)}px`);
  }
  grid.classList.toggle("kp-zoomed", zoom.scale > 1);
  tools.querySelector("[data-zoom=fit]").textContent = percent(zoom.scale);
  tools.querySelector("[data-zoom=out]").disabled = zoom.scale <= 1;
  tools.querySelector("[data-zoom=in]").disabled = zoom.scale >= MOST;
  divide();
}

// Shows the place (x, y) of the photo at the shares (u, v) of the pictures' width and height.
function lookAt(scale, x, y, u, v) {
  const [left, top, width, height] = base();
  zoom.scale = Math.min(Math.max(scale, 1), MOST);
  const within = (corner, first, size) =>
    Math.min(Math.max(corner, first), first + size - size / zoom.scale);
  zoom.x = within(x - (u * width) / zoom.scale, left, width);
  zoom.y = within(y - (v * height) / zoom.scale, top, height);
  look();
  clearTimeout(settling);
  settling = setTimeout(settle, 120);
}

function zoomBy(factor, at) {
  const [x, y, width, height] = frame();
  const { x: px, y: py } = at ?? { x: x + width / 2, y: y + height / 2 };
  lookAt(zoom.scale * factor, px, py, (px - x) / width, (py - y) / height);
}

function pan(dx, dy) {
  lookAt(zoom.scale, zoom.x + dx, zoom.y + dy, 0, 0);
}

// Brings a point into what is seen, if it is outside.
function reveal([px, py]) {
  const [x, y, width, height] = frame();
  if (px < x || px > x + width || py < y || py > y + height) lookAt(zoom.scale, px, py, 0.5, 0.5);
}

function zoomKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const [, , width, height] = frame();
  const side = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
  if (event.key === "+" || event.key === "=") zoomBy(1.5);
  else if (event.key === "-") zoomBy(1 / 1.5);
  else if (event.key === "0") zoomBy(0);
  else if (event.shiftKey && side) pan((side[0] * width) / 8, (side[1] * height) / 8);
  else return false;
  event.preventDefault();
  return true;
}

// What the pointers do on a picture: point, drag, pinch; on the divider, move it.
function handle(screen) {
  const { svg } = screen;
  const held = new Map(); // pointers that are down, by id: {x, y}
  let drag = null; // {x, y, moved, divider}
  const spread = () => {
    const [a, b] = [...held.values()];
    return { gap: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    drag = { x: event.clientX, y: event.clientY, moved: false, divider: onDivider(event, screen) };
    if (drag.divider) svg.setPointerCapture(event.pointerId);
    else point(event, screen);
  });
  svg.addEventListener("pointermove", (event) => {
    const last = held.get(event.pointerId);
    if (!last) {
      svg.classList.toggle("kp-on-divider", onDivider(event, screen));
      point(event, screen);
      return;
    }
    if (held.size === 2) {
      const before = spread();
      held.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const now = spread();
      const at = toPhoto(svg, before.x, before.y);
      const to = toPhoto(svg, now.x, now.y);
      const [x, y, width, height] = frame();
      lookAt((zoom.scale * now.gap) / before.gap, at.x, at.y, (to.x - x) / width, (to.y - y) / height);
      return;
    }
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (drag.divider) {
      splitAt(toPhoto(svg, event.clientX, event.clientY).x);
      return;
    }
    drag.moved ||= Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > DRAG;
    if (zoom.scale === 1 || !drag.moved) return;
    svg.setPointerCapture(event.pointerId);
    const from = toPhoto(svg, last.x, last.y);
    const to = toPhoto(svg, event.clientX, event.clientY);
    pan(from.x - to.x, from.y - to.y);
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
    svg.addEventListener(end, (event) => {
      if (end !== "pointerleave" || !svg.hasPointerCapture(event.pointerId)) held.delete(event.pointerId);
    });
  }
  // The page scrolls on, unless the visitor zooms or has zoomed.
  svg.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && zoom.scale === 1) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode ? 16 : 1);
    zoomBy(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), toPhoto(svg, event.clientX, event.clientY));
  }, { passive: false });
  svg.addEventListener("touchstart", (event) => {
    if (event.touches.length > 1) event.preventDefault();
  }, { passive: false });
}
