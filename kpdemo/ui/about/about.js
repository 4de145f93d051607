// The architectures, each of which opens large.

export default function mount({ element }) {
  const dialog = element.querySelector("dialog");
  const place = dialog.querySelector(".kp-scroll");

  function open(figure) {
    const picture = figure.querySelector("svg").cloneNode(true);
    for (const name of ["width", "height", "aria-labelledby", "aria-describedby"]) picture.removeAttribute(name);
    for (const text of picture.querySelectorAll("title, desc")) text.remove(); // their ids are taken
    const title = figure.querySelector("h3").textContent;
    picture.setAttribute("aria-label", `Architecture of ${title}`);
    dialog.querySelector("h3").textContent = title;
    dialog.setAttribute("aria-label", `Architecture of ${title}, large`);
    dialog.dataset.model = figure.dataset.model;
    place.replaceChildren(picture);
    dialog.showModal();
  }

  for (const button of element.querySelectorAll("figure button")) button.hidden = false;
  element.addEventListener("click", ({ target }) => {
    const figure = target.closest("figure");
    if (figure && target.closest("button, svg")) open(figure);
    // A click outside the dialog's content hits its backdrop.
    else if (target === dialog || target.closest("dialog button")) dialog.close();
  });
}
