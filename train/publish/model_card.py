"""The model card: a Hub README generated from the files of training and evaluation."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from kpdemo.keypoints import markups
from kpdemo.models import hub, model_folder
from train import recipe as recipes
from train.claims import check_text, resolve
from train.data.sources import pseudo_labels
from train.data.sources.catalog import CATALOG
from train.publish.markdown import table

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

{{ use }}{{ page }}

## Training

{{ notes }}

{{ deviations }}{{ training }}
Curves are in `history.json`.

## Results

{{ results }}

NME is the mean distance to the ground truth in percent of the inter-ocular distance (outer eye
corners); FR@8 the share of faces with an error above 8 %; AUC@8 the area under the cumulative
error distribution up to 8 %. {{ independence }}

## Limits and licence

The code is Apache-2.0. These weights were trained on data sets whose terms allow research only
({{ sources }}): **for research, not for commercial use**. The net predicts keypoints on any
image, even without a face; it does not identify people.
"""

USE = """```python
import kpdemo

model = kpdemo.load("{namespace}/{prefix}{name}")
```

This needs kpdemo's code; `{namespace}` is the account on the Hugging Face Hub. `model.net` is the
PyTorch net; `kpdemo.models.predict.predict(model, crops)` predicts keypoints on face crops. To
detect faces in a photo first, with the weights that ship with the code:

```python
result = kpdemo.compare("photo.jpg", ["{name}"])
print(result.faces[0].predictions["{name}"].keypoints)
```"""
# The page as a Space, and the graph, where there are such.
PAGE = "\n\nTry it on your own photo: [{space}](https://huggingface.co/spaces/{space})."
GRAPH = """

`model.onnx` is the same net for ONNX Runtime, in Python or in a browser; it reads its weights from
`model.safetensors` beside it."""
# torchvision's weights, which `imagenet: true` starts from, as the Hub has them.
IMAGENET = "timm/resnet18.tv_in1k"
NO_WEIGHTS = """The weights are not in this folder. `python -m train fit {recipe}` trains them in
`runs/{recipe}`; with that folder's `config.json` and `model.safetensors` beside this card,
`kpdemo.compare` and the app know the model as `{name}`."""


def write(folder: Path) -> None:
    """Write the card of a model folder into it: see `make`."""
    make(folder).save(folder / model_folder.CARD)


def make(folder: Path, namespace: str = "NAME", space: str | None = None) -> ModelCard:
    """The card of a model folder, from its history and metrics, for the Hub's namespace.

    It links the page at `space`, `NAME/SPACE`, if that is given. Without weights or config, the
    card says how to train them. Raises CheckpointError if one of the two files is missing or
    broken.
    """
    history = model_folder.read_history(folder)
    metrics = model_folder.read_metrics(folder)
    recipe = history["recipe"]
    size = recipe["input"]
    before = earlier(recipe["start_from"])
    sources = titles(recipe["data"]["train"])
    earlier_names = [source for run in before for source in run["data"]["train"]]
    earlier_sources = titles(earlier_names)
    names = [*recipe["data"]["train"], *earlier_names]
    data_sets = list(dict.fromkeys(map(pseudo_labels.data_set, names)))
    count = len(markups.get(recipe["markup"]))
    colors = "greyscale" if size["channels"] == 1 else "RGB"
    use = USE if (folder / model_folder.WEIGHTS).exists() else NO_WEIGHTS
    has_graph = (folder / model_folder.GRAPH).exists()
    data = ModelCardData(
        library_name="kpdemo",
        pipeline_tag="keypoint-detection",
        license="other",
        license_name="research-only",
        license_link=CATALOG[data_sets[0].partition("-")[0]].home,
        # No `datasets`: the Hub has none of these.
        base_model=_base_model(recipe, folder.parent, namespace),
        tags=[
            *("pytorch", *["onnx"] * has_graph, "face", "facial-keypoints"),
            *(recipe["net"], recipe["markup"]),
        ],
        model_name=f"kpdemo {recipe['name']}",
        eval_results=list(_eval_results(metrics)),
    )
    return ModelCard.from_template(
        data,
        template_str=TEMPLATE,
        use=use.format(
            name=folder.name, recipe=recipe["name"], namespace=namespace, prefix=hub.PREFIX
        ),
        page=GRAPH * has_graph + (PAGE.format(space=space) if space else ""),
        title=recipe["title"],
        parameters=f"{history['parameters']:,}",
        points="1 keypoint" if count == 1 else f"{count} keypoints",
        markup=recipe["markup"],
        input=f"{size['width']}×{size['height']}, {colors}",
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


def _base_model(recipe: Mapping[str, Any], weights: Path, namespace: str) -> str | None:
    """The repository of the model that a net starts from, if the Hub has it."""
    start = recipe["start_from"] and Path(recipe["start_from"]).name
    if start and (weights / start / model_folder.WEIGHTS).exists():
        return hub.repository(namespace, start)
    return IMAGENET if recipe.get("imagenet") else None


def independence(runs: Sequence[Mapping[str, Any]]) -> str:
    """Whether the test faces were used in training or selection, in a sentence.

    `runs` are recipes as `history.json` has them: the model's own, and those whose weights it
    started from.
    """
    test = set(runs[0]["data"]["test"])
    if shared := test.intersection(s for run in runs for s in run["data"]["train"]):
        return (
            f"Faces of {_titles_of(shared)} are among the training faces: there the figures "
            "measure memorisation, not generalisation."
        )
    steered = [source for run in runs if _is_steered(run) for source in run["data"]["validate"]]
    if selected := test.intersection(steered):
        return (
            f"The test faces were not used in training, but those of {_titles_of(selected)} were "
            "also the validation faces, used to choose the epoch or to control the run: the "
            "figures are optimistic."
        )
    if not _is_steered(runs[0]):
        return (
            "The test faces were not used in training, nor was an epoch chosen: the last was kept."
        )
    return "The test faces were not used in training or to choose the epoch."


def _keeps_last_epoch(recipe: Mapping[str, Any]) -> bool:
    """Whether a run keeps the weights of its last epoch."""
    return recipe.get("keep", "best") == "last"


def _is_steered(recipe: Mapping[str, Any]) -> bool:
    """Whether validation influenced a run's weights."""
    return not _keeps_last_epoch(recipe) or any(
        stage["patience"] is not None or stage["schedule"] == "plateau"
        for stage in recipe["stages"]
    )


def _training(history: dict, sources: list[str], earlier_sources: list[str]) -> str:
    recipe, epochs, faces = history["recipe"], history["epochs"], history["faces"]
    minutes = round(sum(epoch["seconds"] for epoch in epochs) / 60)
    start = ""
    if earlier_sources:
        start = f", starting from weights that were trained on {' and '.join(earlier_sources)}"
    validation = f"{faces['validation']} held-out faces"
    if recipe["data"]["validate"]:
        validation = f"{faces['validation']} faces of {_titles_of(recipe['data']['validate'])}"
    kept = f"The weights are those of epoch {history['best_epoch']}, the best on {validation}."
    if _keeps_last_epoch(recipe):
        kept = f"The weights are those of the last epoch; validation was on {validation}."
    calibration = ""
    fitted = history.get("calibration")
    if fitted and fitted["ridge"] is not None:
        calibration = (
            "\nA calibration, fitted on predictions for the training faces, lowers the validation "
            f"NME from {fitted['validation_nme_before']:.2f} to {fitted['validation_nme']:.2f} % "
            "(`python -m train calibrate`)."
        )
    return (
        f"Trained on {' and '.join(sources)} ({faces['train']} faces), {len(epochs)} epochs, in "
        f"{minutes} minutes on {history['device']}{start}.\n{kept}{calibration}"
    )


def titles(names: Iterable[str]) -> list[str]:
    """Titles of data sets, each once, with a mark for pseudo-labels."""
    return list(dict.fromkeys(_title(name) for name in names))


def _title(name: str) -> str:
    data_set = pseudo_labels.data_set(name)
    title = SOURCE_TITLES.get(data_set, data_set)
    return f"{title} (pseudo-labels)" if pseudo_labels.is_file(name) else title


def earlier(start_from: str | None) -> list[dict]:
    """The recipes whose weights a run started from, latest first, as in `history.json`."""
    runs = []
    while start_from:
        recipe = recipes.load(Path(start_from).name)
        runs.append(dataclasses.asdict(recipe))
        start_from = recipe.start_from
    return runs


def _titles_of(names: Iterable[str]) -> str:
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
    box = "the whole image" if framing["reference"] == "imm-picture" else "from the ground truth"
    names = {
        "nme": "NME",
        "nme_inner_51": "NME, inner 51",
        "rmse_96": "RMSE at 96 px",
        "fr8": "FR@8",
        "auc8": "AUC@8",
        "lost": "faces lost",
    }
    parts = []
    for source, measured in metrics.items():
        single = measured["ground_truth_box"].get("flip_test") is False
        passes = "without flip test" if single else "with flip test"
        columns = [name for name in names if name in measured["compare"]]
        rows = [
            [title, *(_figure(measured[crop][name]) for name in columns)]
            for crop, title in (("ground_truth_box", box), ("compare", "from detected faces"))
        ]
        parts += [
            f"{SOURCE_TITLES.get(source, source)}, {measured['compare']['faces']} faces, {passes}:",
            table(("crop", *(names[name] for name in columns)), rows),
        ]
    return "\n\n".join(parts)


def _remarks(metrics: dict) -> list[str]:
    """How the net compares with the mean-face baseline, for each test source with figures."""
    remarks = []
    for source, measured in metrics.items():
        box = measured["ground_truth_box"]
        if box.get("spread") is None:
            continue
        title = SOURCE_TITLES.get(source, source)
        verdict = (
            "**The net predicts nearly the same for every face.** " if box["answers_mean"] else ""
        )
        remarks.append(
            f"{verdict}Its predictions vary {box['spread']:.2f} times as much as the ground truth "
            f"({title}); the mean-face baseline has an NME of {_figure(box['mean_answer_nme'])} %."
        )
    return remarks


def _reported(recipe: Mapping[str, Any]) -> list[str]:
    reported = recipe.get("reported")
    if reported is None:
        return []
    figure = f"{reported['figure']} {reported['value']:g} {reported['unit']}"
    return [f"Reported by its author: {figure}. {reported['comparable'].strip()}"]


def _deviations(recipe: Mapping[str, Any]) -> str:
    """A list of the differences from the report; empty without any."""
    deviations = recipe.get("deviations") or []
    lines = [
        f"- **{each['what']}**: {each['report']} in the report, {each['ours']} here; {each['why']}"
        for each in deviations
    ]
    return "\n".join(["Differences from the report:", "", *lines, "", ""]) if lines else ""


def _claims(recipe: Mapping[str, Any], weights: Path) -> list[str]:
    """The authors' findings beside our checks, as a table; nothing without claims."""
    claims = [resolve(claim, weights) for claim in recipe.get("claims") or []]
    if not claims:
        return []
    rows = [[claim["claim"], check_text(claim), f"**{claim['verdict']}**"] for claim in claims]
    return [table(("authors' finding", "our check", "verdict"), rows)]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
