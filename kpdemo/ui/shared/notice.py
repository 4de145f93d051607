"""Notices as HTML: an error, information, or progress."""

from collections.abc import Iterable
from html import escape

NO_NETS = "No model is available; put model folders into weights/."


def error(*sentences: str) -> str:
    """HTML of a notice that screen readers announce at once."""
    return _notice("error", "alert", sentences)


def info(*sentences: str) -> str:
    """HTML of a notice that screen readers announce when idle."""
    return _notice("info", "status", sentences)


def progress(text: str, share: float | None = None) -> str:
    """HTML of a progress bar with a text; without a share it is indeterminate."""
    value = "" if share is None else f' value="{share:.3f}"'
    return (
        f'<div class="kp-progress"><progress aria-label="Progress"{value}></progress>'
        f"<p>{escape(text)}</p></div>"
    )


def _notice(kind: str, role: str, sentences: Iterable[str]) -> str:
    lines = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return f'<div class="kp-notice kp-{kind}" role="{role}">{lines}</div>' if lines else ""
