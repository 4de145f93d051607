"""The model card: a Hub README made from what training and evaluation wrote, and from no more."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from kpdemo.keypoints import markup
from kpdemo.models import hub, model_folder
from train import recipe as recipes
from train.claims import checked, resolve
from train.data.sources.catalog import CATALOG

SOURCE_TITLES = {
    "300w": "300-W training side (AFW, HELEN, LFPW)",
    "300w-common": "300-W common",
    "300w-partial": "300-W training side, faces with 11 labelled points",
    "bioid": "BioID",
    "imm": "IMM",
    "imm-validation": "IMM, persons 33 to 40",
    "kaggle": "Kaggle Facial Keypoints Detection",
    "ytf": "YouTube Faces frames",
}

TEMPLATE = """---
{{ card_data }}
---

# {{ title }}

{{ parameters }} parameters, {{ points }} ({{ markup }}), input {{ input }}.
Part of kpdemo, a comparison of facial-keypoint networks.

## Use

{{ use }}

## Training

{{ notes }}

{{ deviations }}{{ training }}
Curves are in `history.json`.

## Results

{{ results }}

NME is the mean distance to the label in percent of the distance of the outer eye corners; FR@8
the share of faces above 8 %; AUC@8 the area under the cumulative error curve up to there.
{{ independence }}

## Limits and licence

The code is Apache-2.0. These weights were made from data sets whose terms allow research only
({{ sources }}): **for research, not for commercial use**. The net finds points on any picture it
is given, also where there is no face; it says nothing about who a person is.
"""

USE = """```python
import kpdemo

model = kpdemo.load("{namespace}/{prefix}{name}")
```

This needs kpdemo's code; `{namespace}` is the account on the Hugging Face Hub. `model.net` is the
PyTorch net, and `kpdemo.models.predict.predict(model, cuts)` asks it about cut-out faces. From a
photo, the whole way, with the weights that ship with the code:

```python
result = kpdemo.compare("photo.jpg", ["{name}"])
print(result.faces[0].answers["{name}"].keypoints)
```"""
NO_WEIGHTS = """The weights are not in this folder. `python -m train fit {recipe}` makes them in
`runs/{recipe}`; with that folder's `config.json` and `model.safetensors` beside this card,
`kpdemo.compare` and the app know the model as `{name}`."""


def write(folder: Path) -> None:
    """Write the card of a model folder into it: see `make`."""
    make(folder).save(folder / model_folder.CARD)


def make(folder: Path, namespace: str = "NAME") -> ModelCard:
    """The card of a model folder, from its history and metrics, for the Hub's namespace.

    Weights and config need not be there; the card then says how to make them. Raises
    CheckpointError if one of the two files is missing or broken.
    """
    history = model_folder.read_history(folder)
    metrics = model_folder.read_metrics(folder)
    recipe = history["recipe"]
    size = recipe["input"]
    before = earlier(recipe["start_from"])
    sources = titles(recipe["data"]["train"])
    earlier_names = [source for run in before for source in run["data"]["train"]]
    earlier_sources = titles(earlier_names)
    names = list(dict.fromkeys([*recipe["data"]["train"], *earlier_names]))
    count = len(markup.get(recipe["markup"]))
    use = USE if (folder / model_folder.WEIGHTS).exists() else NO_WEIGHTS
    data = ModelCardData(
        library_name="kpdemo",
        pipeline_tag="keypoint-detection",
        license="other",
        license_name="research-only",
        license_link=CATALOG[names[0].partition("-")[0]].home,
        datasets=names,
        tags=["pytorch", "face", "facial-keypoints", recipe["net"], recipe["markup"]],
        model_name=f"kpdemo {recipe['name']}",
        eval_results=list(_eval_results(metrics)),
    )
    return ModelCard.from_template(
        data,
        template_str=TEMPLATE,
        use=use.format(
            name=folder.name, recipe=recipe["name"], namespace=namespace, prefix=hub.PREFIX
        ),
        title=recipe["title"],
        parameters=f"{history['parameters']:,}",
        points="1 keypoint" if count == 1 else f"{count} keypoints",
        markup=recipe["markup"],
        input=f"{size['width']}×{size['height']}, {'grey' if size['channels'] == 1 else 'RGB'}",
        notes=recipe["notes"].strip() or "See the recipe in `history.json`.",
        deviations=_deviations(recipe),
        training=_training(history, sources, earlier_sources),
        results="\n\n".join(
            [
                _table(metrics, recipe["framing"]),
                *_remarks(metrics),
                *_reported(recipe),
                *_claims(recipe, folder.parent),
            ]
        ),
        independence=independence([recipe, *before]),
        sources=", ".join(dict.fromkeys(sources + earlier_sources)),
    )


def independence(runs: Sequence[Mapping[str, Any]]) -> str:
    """What the test faces had to do with training, in a sentence, as far as the recipes tell.

    `runs` are recipes as `history.json` has them: the model's own, and those whose weights it
    started from.
    """
    test = set(runs[0]["data"]["test"])
    if trained := test.intersection(s for run in runs for s in run["data"]["train"]):
        return (
            f"Faces of {_listed(trained)} were trained on: there the figures say how well they "
            "were learnt by heart, not what to expect of new faces."
        )
    steered = [source for run in runs if _steered(run) for source in run["data"]["validate"]]
    if chosen := test.intersection(steered):
        return (
            f"The test faces took no part in training, but those of {_listed(chosen)} were the "
            "validation faces too, which chose the epoch or steered the run: the figures flatter."
        )
    if not _steered(runs[0]):
        return (
            "The test faces took no part in training, and no epoch was chosen: the last was kept."
        )
    return "The test faces took no part in training or in choosing the epoch."


def _kept_last(recipe: Mapping[str, Any]) -> bool:
    """Whether a run's weights are simply the last ones."""
    return recipe.get("keep", "best") == "last"


def _steered(recipe: Mapping[str, Any]) -> bool:
    """Whether validation had a say in a run's weights."""
    return not _kept_last(recipe) or any(
        stage["patience"] is not None or stage["schedule"] == "plateau"
        for stage in recipe["stages"]
    )


def _training(history: dict, sources: list[str], earlier_sources: list[str]) -> str:
    recipe, epochs, faces = history["recipe"], history["epochs"], history["faces"]
    minutes = round(sum(epoch["seconds"] for epoch in epochs) / 60)
    start = ""
    if earlier_sources:
        start = f", starting from weights that were trained on {' and '.join(earlier_sources)}"
    watched = f"{faces['validation']} more faces that were held out"
    if recipe["data"]["validate"]:
        watched = f"{faces['validation']} faces of {_listed(recipe['data']['validate'])}"
    kept = f"The weights are those of epoch {history['best_epoch']}, the best on {watched}."
    if _kept_last(recipe):
        kept = f"The weights are those of the last epoch; validation was on {watched}."
    last = ""
    fitted = history.get("calibration")
    if fitted and fitted["ridge"] is not None:
        last = (
            "\nA last linear step, fitted on the training faces' answers, lowers the validation "
            f"NME from {fitted['validation_nme_before']:.2f} to {fitted['validation_nme']:.2f} % "
            "(`python -m train calibrate`)."
        )
    return (
        f"Trained on {' and '.join(sources)} ({faces['train']} faces), {len(epochs)} epochs, in "
        f"{minutes} minutes on {history['device']}{start}.\n{kept}{last}"
    )


def titles(names: Iterable[str]) -> list[str]:
    """Data sets by the names that readers know, each once."""
    return list(dict.fromkeys(SOURCE_TITLES.get(name, name) for name in names))


def earlier(start_from: str | None) -> list[dict]:
    """The recipes that a run started from, the last first, as `history.json` would have them."""
    runs = []
    while start_from:
        recipe = recipes.load(Path(start_from).name)
        runs.append(dataclasses.asdict(recipe))
        start_from = recipe.start_from
    return runs


def _listed(names: Iterable[str]) -> str:
    return " and ".join(titles(sorted(names)))


def _eval_results(metrics: dict) -> list[EvalResult]:
    results = []
    for source, measured in metrics.items():
        for measure, title in (("nme", "NME"), ("rmse_96", "RMSE at 96 px")):
            if measured["ground_truth_box"].get(measure) is not None:
                results.append(
                    EvalResult(
                        task_type="keypoint-detection",
                        dataset_type=source,
                        dataset_name=SOURCE_TITLES.get(source, source),
                        metric_type=measure,
                        metric_name=title,
                        metric_value=measured["ground_truth_box"][measure],
                    )
                )
    return results


def _table(metrics: dict, framing: Mapping[str, Any]) -> str:
    box = "the whole picture" if framing["reference"] == "imm-picture" else "from the labels"
    names = {
        "nme": "NME",
        "nme_inner_51": "NME, inner 51",
        "rmse_96": "RMSE at 96 px",
        "fr8": "FR@8",
        "auc8": "AUC@8",
        "lost": "faces lost",
    }
    lines = []
    for source, measured in metrics.items():
        single = measured["ground_truth_box"].get("flip_test") is False
        passes = "one pass a face" if single else "averaged with the mirrored crop"
        columns = [name for name in names if name in measured["compare"]]
        lines += [
            f"{SOURCE_TITLES.get(source, source)}, {measured['compare']['faces']} faces, {passes}:",
            "",
            "| crop | " + " | ".join(names[name] for name in columns) + " |",
            "|---" * (len(columns) + 1) + "|",
        ]
        for crop, title in (("ground_truth_box", box), ("compare", "as the app")):
            values = " | ".join(_figure(measured[crop][name]) for name in columns)
            lines.append(f"| {title} | {values} |")
    return "\n".join(lines)


def _remarks(metrics: dict) -> list[str]:
    """Whether the net does more than answer the mean, for each test source that tells."""
    remarks = []
    for source, measured in metrics.items():
        box = measured["ground_truth_box"]
        if box.get("spread") is None:
            continue
        title = SOURCE_TITLES.get(source, source)
        verdict = (
            "**The net answers the mean**: whatever the face, it says nearly the same. "
            if box["answers_mean"]
            else ""
        )
        remarks.append(
            f"{verdict}Its answers vary {box['spread']:.2f} times as much as the labels "
            f"({title}); always answering the mean label would have an NME of "
            f"{_figure(box['mean_answer_nme'])} %."
        )
    return remarks


def _reported(recipe: Mapping[str, Any]) -> list[str]:
    told = recipe.get("reported")
    if told is None:
        return []
    figure = f"{told['figure']} {told['value']:g} {told['unit']}"
    return [f"Reported by its author: {figure}. {told['comparable'].strip()}"]


def _deviations(recipe: Mapping[str, Any]) -> str:
    """A list of the settings that are not the report's; empty without any."""
    deviations = recipe.get("deviations") or []
    lines = [
        f"- **{each['what']}**: {each['report']} in the report, {each['ours']} here; {each['why']}"
        for each in deviations
    ]
    return "\n".join(["Not as in the report:", "", *lines, "", ""]) if lines else ""


def _claims(recipe: Mapping[str, Any], weights: Path) -> list[str]:
    """What the authors found beside our check of it, as a table; nothing without claims."""
    claims = [resolve(claim, weights) for claim in recipe.get("claims") or []]
    if not claims:
        return []
    rows = []
    for claim in claims:
        cells = claim["claim"], checked(claim), f"**{claim['verdict']}**"
        rows.append(" | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells))
    heads = ["| what the authors found | our check | verdict |", "|---|---|---|"]
    return ["\n".join([*heads, *(f"| {row} |" for row in rows)])]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
