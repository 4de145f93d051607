"""The visitor's models: one choice for all tabs, kept in the browser."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import gradio as gr

from kpdemo.ui.shared import scripts

# A list passes on the names that it shares, and leaves the others as they are, here and there.
_NOTE = """(json, ticked) => {
  const own = %s;
  const others = JSON.parse(json).filter((name) => !own.includes(name));
  return JSON.stringify([...others, ...ticked.filter((name) => own.includes(name))]);
}"""
_FOLLOW = """(json, ...lists) => {
  const chosen = JSON.parse(json);
  return %s.map((own, k) => [
    ...own.filter((name) => chosen.includes(name)),
    ...lists[k].filter((name) => !own.includes(name)),
  ]);
}"""


class ModelChoice:
    """The names of the chosen models, which lists of the tabs share without a request."""

    def __init__(self, names: Iterable[str]) -> None:
        self.component = gr.HTML(
            json.dumps(list(names)),
            html_template="",
            js_on_load=scripts.loader("shared/choice.js"),
            apply_default_css=False,
            elem_id="choice",
        )
        self._lists: list[tuple[gr.CheckboxGroup | gr.Dropdown, Sequence[str]]] = []

    def share(self, control: gr.CheckboxGroup | gr.Dropdown, names: Sequence[str]) -> None:
        """Let a list change the choice among `names`, and follow it."""
        self._lists.append((control, names))
        control.input(
            None,
            [self.component, control],
            self.component,
            js=_NOTE % json.dumps(names),
            api_visibility="private",
        )

    def connect(self) -> None:
        """Let the lists follow; call it once, when all of them share the choice."""
        controls: list[Any] = [control for control, _ in self._lists]
        own = json.dumps([list(names) for _, names in self._lists])
        self.component.change(
            None,
            [self.component, *controls],
            controls,
            js=_FOLLOW % own,
            api_visibility="private",
        )
