// Says what is happening while the server computes, in this page's words instead of Gradio's.

function wordsFor(text) {
  // "1.4/9.8s": what has passed, and what it is expected to take.
  const [, passed, expected] = text.match(/([\d.]+)\/([\d.]+)s/) ?? [];
  const left = Math.ceil(expected - passed);
  const time = left > 0 ? `, about ${left} s` : "";
  const [, place] = text.match(/queue: (\d+)\//) ?? [];
  if (place) return `${place === "1" ? "Next" : `${place - 1} before you`} in line${time} …`;
  const level = text.match(/^(.*?)\s*-\s*[\d.]+\s*%/);
  return level ? level[1] : `One moment${time} …`;
}

// Keeps the words on the page's tracker of the component up to date; its style sheet shows them.
export function watchTracker(component) {
  const say = () => {
    for (const node of component.querySelectorAll(".progress-text, .progress-level-inner")) {
      const words = wordsFor(node.textContent.trim());
      if (node.dataset.words !== words) node.dataset.words = words;
    }
  };
  new MutationObserver(say).observe(component, { childList: true, subtree: true, characterData: true });
}
