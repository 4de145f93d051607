"""The documents' tables of errors: the default models, the fourteen systems, corrupted photos."""

from kpdemo.zoo import BASELINE, DEFAULT_MODELS
from train.claims import check_text
from train.publish.markdown import bounds, figure, mean_difference, millions, no_data, table
from train.publish.model_card import SOURCE_TITLES
from train.publish.results import MAPS, SYSTEMS


def headline(collected: dict) -> str:
    """The results in short: the app's way, the four nets and MediaPipe."""
    lines = [
        [
            row["title"] if row["name"].startswith(BASELINE) else row["name"],
            millions(row["parameters"]),
            figure(row["nme_compare"], " %") + bounds(row["nme_compare_interval"]),
            figure(row["fr8"], " %", 1),
            figure(row["lost"], " %", 1),
        ]
        for row in default_rows(collected)
    ]
    heads = ("model", "parameters", "NME [95 % interval]", "above 8 %", "faces lost")
    return table(heads, lines) if lines else no_data("evaluate NAME")


def default_rows(collected: dict) -> list[dict]:
    """The rows of the four nets and of MediaPipe that were measured the way of the app."""
    rows = by_name(collected)
    names = (*DEFAULT_MODELS, *(f"{BASELINE}-{way}" for way in MAPS))
    return [rows[name] for name in names if name in rows and rows[name]["nme_compare"] is not None]


def results(collected: dict) -> str:
    """Errors of the four nets and of MediaPipe on the same test faces."""
    lines = [
        [
            row["title"] if row["name"].startswith(BASELINE) else row["name"],
            millions(row["parameters"]),
            figure(row["nme"], " %") + bounds(row["nme_interval"]),
            figure(row["nme_compare"], " %") + bounds(row["nme_compare_interval"]),
            mean_difference(row["less_mediapipe"]),
            figure(row["nme_inner_51"], " %"),
            figure(row["lost"], " %", 1),
            figure(row["fr8"], " %", 1),
            figure(row["auc8"], "", 1),
            figure(row["rmse_96"], " px"),
        ]
        for row in default_rows(collected)
    ]
    if not lines:
        return no_data(f"evaluate {' '.join(DEFAULT_MODELS)} {BASELINE}")
    heads = (
        "model",
        "parameters",
        "NME, ground-truth crops",
        "NME, detected faces",
        "difference to MediaPipe",
        "inner 51",
        "faces lost",
        "FR@8",
        "AUC@8",
        "RMSE",
    )
    legend = (
        "Ground-truth crops are cut around the annotated points, as in papers; detected faces are "
        "found by the app's\nface detector. FR@8 is the share of faces with an error above 8 %, "
        "lost faces included; AUC@8 the area under\nthe cumulative error distribution up to there, "
        "100 at best; both on detected faces. The inner 51 points and\nthe RMSE are on "
        "ground-truth crops, MediaPipe's inner points on detected faces. In brackets: 95 % "
        "bootstrap\nintervals over the photos; the difference is to MediaPipe's fitted map, its "
        "mean over the same faces. The nets\nare measured with the flip test and their calibration."
    )
    return "\n\n".join([table(heads, lines), legend, *fifteen_points(collected)])


def fifteen_points(collected: dict) -> list[str]:
    """The same faces with 68 points converted to Kaggle's 15, beside KeypointResNet's own."""
    rows = by_name(collected)
    converted = {row["name"]: row for row in collected["fifteen"]}
    names = [*DEFAULT_MODELS, *(f"{BASELINE}-{way}" for way in MAPS)]
    by_model = {name: converted.get(name) or rows.get(name) for name in names}
    lines = [
        [
            name if name in DEFAULT_MODELS else row["title"],
            figure(row["nme"], " %") + bounds(row["nme_interval"]),
            figure(row["nme_compare"], " %") + bounds(row["nme_compare_interval"]),
            figure(row["rmse_96"], " px"),
        ]
        for name, row in by_model.items()
        if row is not None and row["markup"] == "kaggle-15" and row["nme_compare"] is not None
    ]
    if not converted:
        return []
    heads = ("on Kaggle's 15 points", "NME, ground-truth crops", "NME, detected faces", "RMSE")
    return [
        table(heads, lines),
        "68 points are converted to KeypointResNet's 15. Its ground-truth crops are cut by the "
        "annotated eyes and mouth,\nwhich are among the points, so that column flatters it.",
    ]


def systems(collected: dict) -> str:
    """The fourteen systems: the reported errors beside those measured here."""
    rows = {row["name"]: row for row in collected["models"] if row["system"]}
    if not rows:
        return no_data("fit NAME", "evaluate runs/NAME")
    lines = []
    for name in SYSTEMS:
        row = rows.get(name)
        if row is None:
            lines.append([f"`{name}`", "", "", "", "not trained yet", "", "", "", ""])
            continue
        reported = row["reported"] or {}
        lines.append(
            [
                f"`{name}`",
                row["title"],
                row["markup"],
                f"{reported['figure']} {reported['value']:g} {reported['unit']}"
                if reported
                else "",
                error_here(row),
                deviations(row),
                figure(row["spread"]) + (", predicts the mean face" if row["answers_mean"] else ""),
                millions(row["parameters"]),
                reported.get("comparable", ""),
            ]
        )
    heads = (
        "system",
        "what it is",
        "markup",
        "as reported",
        "here",
        "not as in the report",
        "spread",
        "parameters",
        "comparable?",
    )
    return table(heads, lines)


def deviations(row: dict) -> str:
    """The differences from the report in a system's settings and evaluation."""
    differences = [deviation["what"] for deviation in row["deviations"]]
    if row["flip_test"]:
        differences.append("measured with the flip test")
    return "; ".join(differences)


def error_here(row: dict) -> str:
    """The error on ground-truth crops, in the available units."""
    if row["nme"] is None:
        return "not evaluated yet"
    pixels = figure(row["rmse_96"], " px")
    return (
        f"NME {row['nme']:.2f} %{bounds(row['nme_interval'])}"
        + (f", RMSE {pixels}" if pixels else "")
        + (f" ({row['faces']} faces)" if row["faces"] else "")
    )


def claims(collected: dict) -> str:
    """The authors' findings, our checks with their figures, and the verdicts."""
    rows = by_name(collected)
    lines = [
        [
            f"`{name}`" if claim is rows[name]["claims"][0] else "",
            claim["claim"],
            check_text(claim),
            f"**{claim['verdict']}**",
        ]
        for name in SYSTEMS
        if name in rows
        for claim in rows[name]["claims"]
    ]
    if not lines:
        return no_data("report")
    return table(("system", "what its authors report", "our check", "verdict"), lines)


def robustness(collected: dict) -> str:
    """Errors of the default models and of MediaPipe on corrupted photos."""
    measurements = collected["robustness"]
    if not measurements:
        return no_data("robustness")
    names = list(dict.fromkeys(name for row in measurements["conditions"].values() for name in row))
    lines = [
        [condition, *(corrupted_cell(row.get(name) or {}) for name in names)]
        for condition, row in measurements["conditions"].items()
    ]
    source = SOURCE_TITLES.get(measurements["source"], measurements["source"])
    where = f"{measurements['faces']} faces of {source} (`{measurements['command']}`)."
    return f"{table(('photo', *names), lines)}\n\n{where}"


def corrupted_cell(cell: dict) -> str:
    """NME of the detected faces, and the share of lost ones."""
    lost = cell.get("lost")
    return figure(cell.get("nme"), " %") + (f", {lost:.1f} % lost" if lost else "")


def by_name(collected: dict) -> dict[str, dict]:
    return {row["name"]: row for row in collected["models"]}
