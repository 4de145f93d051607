// Mounts a component of the page where no Gradio does: its value and its events are here.

// `on` has a handler by event; `more` goes to the component's script as it is. The value can be set.
export function mountComponent(element, mount, { props = {}, on = {}, ...more } = {}) {
  const values = { ...props };
  const watchers = [];
  mount({
    element,
    props: values,
    watch: (_, act) => watchers.push(act),
    trigger: (event, detail) => on[event]?.(detail),
    ...more,
  });
  element.setAttribute("data-mounted", "");
  return (value) => {
    values.value = value;
    for (const act of watchers) act();
  };
}
