"""The model card: a Hub README made from what training and evaluation wrote, and from no more."""

from collections.abc import Iterable
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from kpdemo import checkpoint, markup
from train import recipe as recipes

SOURCE_TITLES = {
    "300w": "300-W training side (AFW, HELEN, LFPW)",
    "300w-common": "300-W common",
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

{{ parameters }} parameters, {{ points }} keypoints ({{ markup }}), input {{ input }}.
Part of kpdemo, a comparison of facial-keypoint networks.

## Use

```python
import kpdemo

result = kpdemo.compare("photo.jpg", ["{{ name }}"])
print(result.faces[0].answers["{{ name }}"].keypoints)
```

## Training

{{ notes }}

Trained on {{ train }} ({{ faces }} faces; {{ held_out }} more were held out to choose the epoch),
{{ epochs }} epochs, in {{ minutes }} minutes on {{ device }}{{ start }}.
The weights are those of epoch {{ best_epoch }}; curves are in `history.json`.

## Results

{{ results }}

NME is the mean distance to the label in percent of the distance of the outer eye corners; FR@8
the share of faces above 8 %; AUC@8 the area under the cumulative error curve up to there. The
test faces took no part in training or in choosing the epoch.

## Limits and licence

The code is Apache-2.0. These weights were made from data sets whose terms allow research only
({{ sources }}): **for research, not for commercial use**. The net finds points on any picture it
is given, also where there is no face; it says nothing about who a person is.
"""


def write(folder: Path) -> None:
    """Make the card of a model folder from its config, history and metrics."""
    config = checkpoint.read_config(folder)
    history = checkpoint.read_history(folder)
    metrics = checkpoint.read_metrics(folder)
    recipe, epochs = history["recipe"], history["epochs"]
    sources = titles(recipe["data"]["train"])
    before = titles(earlier_sources(recipe["start_from"]))
    size = config.input
    data = ModelCardData(
        library_name="pytorch",
        pipeline_tag="keypoint-detection",
        license="other",
        license_name="research-only",
        tags=["face", "facial-keypoints", config.net, config.markup],
        model_name=f"kpdemo {recipe['name']}",
        eval_results=list(_eval_results(metrics)),
    )
    card = ModelCard.from_template(
        data,
        template_str=TEMPLATE,
        name=folder.name,
        title=recipe["title"],
        parameters=f"{history['parameters']:,}",
        points=len(markup.get(config.markup)),
        markup=config.markup,
        input=f"{size.width}×{size.height}, {'grey' if size.channels == 1 else 'RGB'}",
        notes=recipe["notes"].strip() or "See the recipe in `history.json`.",
        train=" and ".join(sources),
        start=f", starting from weights that were trained on {' and '.join(before)}"
        if before
        else "",
        faces=history["faces"]["train"],
        held_out=history["faces"]["validation"],
        epochs=len(epochs),
        minutes=round(sum(epoch["seconds"] for epoch in epochs) / 60),
        device=history["device"],
        best_epoch=history["best_epoch"],
        results=_table(metrics),
        sources=", ".join(dict.fromkeys(sources + before)),
    )
    card.save(folder / checkpoint.CARD)


def titles(names: Iterable[str]) -> list[str]:
    """Data sets by the names that readers know."""
    return [SOURCE_TITLES.get(name, name) for name in names]


def earlier_sources(start_from: str | None) -> list[str]:
    """The data sets of all recipes that a run started from, one after the other."""
    sources: dict[str, None] = {}
    while start_from:
        earlier = recipes.load(Path(start_from).name)
        sources |= dict.fromkeys(earlier.data.train)
        start_from = earlier.start_from
    return list(sources)


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


def _table(metrics: dict) -> str:
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
        columns = [name for name in names if name in measured["compare"]]
        lines += [
            f"{SOURCE_TITLES.get(source, source)}, {measured['compare']['faces']} faces:",
            "",
            "| crop | " + " | ".join(names[name] for name in columns) + " |",
            "|---" * (len(columns) + 1) + "|",
        ]
        for crop, title in (("ground_truth_box", "from the labels"), ("compare", "as the app")):
            values = " | ".join(_figure(measured[crop][name]) for name in columns)
            lines.append(f"| {title} | {values} |")
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
