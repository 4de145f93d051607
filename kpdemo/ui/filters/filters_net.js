// The architecture of the chosen model, whose parts open their layer.

export default function mount({ element, props, trigger, watch }) {
  const details = element.querySelector("details");
  const picture = element.querySelector(".kp-scroll");

  function load() {
    const data = props.value ? JSON.parse(props.value) : null;
    details.hidden = !data;
    if (!data) return;
    details.querySelector("summary").textContent = `Architecture of ${data.title}: choose a layer`;
    const label = `Layers of ${data.title}`;
    if (picture.getAttribute("aria-label") !== label) {
      picture.setAttribute("aria-label", label);
      picture.innerHTML = data.svg; // focus stays while the model does
    }
    for (const part of picture.querySelectorAll(".kp-part")) {
      if (part.dataset.layer === data.part) part.setAttribute("aria-current", "true");
      else part.removeAttribute("aria-current");
    }
  }

  function open(event) {
    const part = event.target.closest(".kp-part");
    if (!part) return;
    event.preventDefault();
    trigger("part", { layer: part.dataset.layer });
  }
  picture.addEventListener("click", open);
  picture.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") open(event);
  });
  watch("value", load);
  load();
}
