"""A report as text for the terminal."""

from collections.abc import Sequence

from kpdemo.evaluation.evaluate import Report, Result

_MOST_NAMES = 10  # of faces in one list
_UNKNOWN = "-"


def describe(report: Report) -> str:
    """All figures of a report as tables and sentences."""
    others = [result for result in report.results if result.name != report.reference]
    lines = [
        f"{len(report.faces)} labelled faces ({report.labels.markup}) in {report.photos} photos; "
        "errors in % of the distance between the outer eye corners.",
        *notices(report),
        "",
        *table(HEADINGS, [cells(result) for result in report.results]),
    ]
    if any(result.figures.get("difference") for result in others):
        lines += [
            "",
            f"Paired differences to {report.reference}, on the faces that both found:",
            *table(DIFFERENCE_HEADINGS, [difference_cells(result) for result in others]),
        ]
    if report.folders:
        lines += ["", "NME by folder:", *table(*by_folder(report))]
    for result in report.results:
        worst = "; ".join(f"{each['face']} {each['error']:.1f}" for each in result.figures["worst"])
        lines += ["", f"Worst faces of {result.name}: {worst or 'none'}"]
    if report.not_found:
        more = len(report.not_found) - _MOST_NAMES
        names = ", ".join(report.not_found[:_MOST_NAMES]) + (
            f" and {more} more" if more > 0 else ""
        )
        lines += ["", f"{len(report.not_found)} faces were not found: {names}"]
    return "\n".join(lines)


def notices(report: Report) -> list[str]:
    """Sentences on what the figures do not tell by themselves."""
    sentences = []
    if report.labels.unlabelled:
        sentences.append(
            f"Pictures without a label, which are left out: {report.labels.unlabelled}."
        )
    if origin := report.labels.origin:
        sentences.append(
            f"These labels began as the predictions of {origin}, which favours it: points that "
            "nobody moved have no error."
        )
    if len({result.points for result in report.results}) > 1:
        sentences.append(
            "Errors over different numbers of points cannot be compared; the differences are "
            "over the points that both models have."
        )
    return sentences


HEADINGS = (
    "model",
    "points",
    "NME [95 % interval]",
    "above 8 %",
    "above 10 %",
    "AUC@8",
    "AUC@10",
    "not found",
)
DIFFERENCE_HEADINGS = ("model", "points", "faces", "difference [95 % interval]", "better on")


def cells(result: Result) -> tuple[str, ...]:
    """A model's row under `HEADINGS`."""
    figures = result.figures
    shares = (figures[key] for key in ("fr8", "fr10", "auc8", "auc10", "lost"))
    above_8, above_10, auc_8, auc_10, lost = (number(share, 1) for share in shares)
    return (
        result.name,
        str(result.points),
        with_interval(figures["nme"], figures["nme_interval"]),
        f"{above_8} %",
        f"{above_10} %",
        auc_8,
        auc_10,
        f"{lost} %",
    )


def difference_cells(result: Result) -> tuple[str, ...]:
    """A model's row under `DIFFERENCE_HEADINGS`."""
    difference = result.figures.get("difference")
    if not difference:
        return (result.name, *[_UNKNOWN] * (len(DIFFERENCE_HEADINGS) - 1))
    return (
        result.name,
        str(difference["points"]),
        str(difference["faces"]),
        with_interval(difference["mean"], difference["interval"], "+"),
        f"{difference['better']:.0f} %",
    )


def by_folder(report: Report) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and rows of the models' errors by sub-folder."""
    parts = report.results[0].figures["by"] if report.results else {}
    headings = ("model", *(f"{name or '.'} ({part['faces']})" for name, part in parts.items()))
    rows = [
        (
            result.name,
            *(
                with_interval(part["nme"], part["nme_interval"])
                for part in result.figures["by"].values()
            ),
        )
        for result in report.results
    ]
    return headings, rows


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, its columns as wide as need be."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headings, *rows)
    ]


def with_interval(value: float | None, interval: Sequence[float] | None, sign: str = "") -> str:
    """A figure and its interval: `2.97 % [2.89, 3.05]`."""
    text = f"{number(value, 2, sign)} %"
    return (
        f"{text} [{number(interval[0], 2, sign)}, {number(interval[1], 2, sign)}]"
        if interval
        else text
    )


def number(value: float | None, digits: int, sign: str = "") -> str:
    """A number with `digits` decimals; a dash for None."""
    return _UNKNOWN if value is None else f"{value:{sign}.{digits}f}"
