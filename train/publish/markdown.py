"""Markdown tables, and figures in their cells."""

from collections.abc import Iterable


def table(heads: Iterable[str], rows: Iterable[Iterable[str | None]]) -> str:
    """A Markdown table; bars and line breaks in cells are escaped."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    cells = ([" ".join((cell or "").split()).replace("|", "\\|") for cell in row] for row in lines)
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def no_data(*commands: str, what: str = "this table") -> str:
    """The line in place of a table that has no data."""
    steps = ", then ".join(f"`python -m train {command}`" for command in commands)
    return f"No data yet: {steps} makes {what}."


def figure(value: float | None, unit: str = "", digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}{unit}"


def millions(count: int | None) -> str:
    return "" if count is None else f"{count / 1e6:.{1 if count >= 1e5 else 3}f} M"


def bounds(interval: list[float] | None) -> str:
    """An interval in brackets; empty where there is none."""
    return "" if interval is None else " [{:.2f}, {:.2f}]".format(*interval)


def mean_difference(difference: dict | None) -> str:
    """The mean of paired differences, with its sign, and its interval."""
    if difference is None:
        return ""
    return f"{difference['mean']:+.2f}" + bounds(difference["interval"])
