// What the pointers do on a picture: point, drag, pinch; on the divider, move it.

import { toPhoto } from "./zoom.js";

const DRAG = 4; // pixels of the screen before a press becomes a drag

// `point(event, screen)` is called where the pointer is over the picture without dragging.
export function handlePointers(screen, { zoom, slide, point }) {
  const { svg } = screen;
  const pointers = new Map(); // those that are down, by id: {x, y}
  let drag = null; // {x, y, moved, divider}
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return { gap: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  };

  function pinch(event) {
    const before = spread();
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const after = spread();
    const from = toPhoto(svg, before.x, before.y);
    const to = toPhoto(svg, after.x, after.y);
    const [x, y, width, height] = zoom.frame();
    zoom.lookAt((zoom.scale * after.gap) / before.gap, from.x, from.y, (to.x - x) / width, (to.y - y) / height);
  }

  svg.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    drag = { x: event.clientX, y: event.clientY, moved: false, divider: slide.isOnDivider(event, screen) };
    if (drag.divider) svg.setPointerCapture(event.pointerId);
    else point(event, screen);
  });
  svg.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) {
      svg.classList.toggle("kp-on-divider", slide.isOnDivider(event, screen));
      point(event, screen);
      return;
    }
    if (pointers.size === 2) {
      pinch(event);
      return;
    }
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (drag.divider) {
      slide.splitAt(toPhoto(svg, event.clientX, event.clientY).x);
      return;
    }
    drag.moved ||= Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > DRAG;
    if (zoom.scale === 1 || !drag.moved) return;
    svg.setPointerCapture(event.pointerId);
    const from = toPhoto(svg, last.x, last.y);
    const to = toPhoto(svg, event.clientX, event.clientY);
    zoom.pan(from.x - to.x, from.y - to.y);
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
    svg.addEventListener(end, (event) => {
      if (end !== "pointerleave" || !svg.hasPointerCapture(event.pointerId)) pointers.delete(event.pointerId);
    });
  }
  zoom.followWheel(svg);
  svg.addEventListener(
    "touchstart",
    (event) => {
      if (event.touches.length > 1) event.preventDefault();
    },
    { passive: false },
  );
}
