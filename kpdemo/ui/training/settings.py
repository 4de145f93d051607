"""A recipe's settings as the page names them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kpdemo import zoo
from kpdemo.keypoints import markups
from kpdemo.records.settings import settings
from kpdemo.ui.shared import titles

Settings = Mapping[str, Any]
NONE = "–"

_LOSSES = {
    "mse": "squared error",
    "l1": "absolute error",
    "smooth_l1": "smooth L1",
    "huber": "Huber",
    "wing": "Wing",
}
_MAP_LOSSES = {
    "mse": "squared error",
    "cross_entropy": "cross-entropy",
    "marginals": "cross-entropy of rows and columns",
}
_UNITS = {"pixel": "pixels of the input", "crop": "half-widths of the crop"}
_CROPS = {
    "keypoint-box": "keypoint box",
    "imm-picture": "whole IMM picture",
    "kaggle": "as in Kaggle’s data",
}
_GAPS = {
    "mask": "masked in the loss",
    "drop": "faces with missing labels dropped",
    "fill": "filled from the previous face",
}
_UNMOVED = {
    "augment.rotate": "no rotation",
    "augment.shift": "no shift",
    "augment.mirror": "no horizontal flip",
}
_CHECKPOINTS = {"best": "best epoch", "last": "last epoch"}
_OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD"}
_SCHEDULES = {"onecycle": "one-cycle", "step": "step", "plateau": "reduce on plateau"}


def number(value: float | None) -> str:
    """A setting's value, short: 0.5, 16, 1e-4."""
    if value is None:
        return NONE
    if value == 0 or abs(value) >= 0.01:
        return f"{value:g}"
    digits, power = f"{value:e}".split("e")
    return f"{float(digits):g}e{int(power)}"


def percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def changed(path: str, value: Any) -> str:
    """The setting that a sweep changes, with its value: "learning rate 1e-4".

    Empty for a value that goes without saying.
    """
    if path == "data.incomplete":
        return _name(_GAPS, value)
    if path == "stages.0.freeze_backbone":
        return "head only first" if value else "all layers from the start"
    if path == "args.pixels":
        return "predicts pixels" if value else "predicts crop coordinates"
    if path in _UNMOVED and not value:
        return _UNMOVED[path]
    if path == "augment.moved" and value == 1:
        return ""
    word = {
        "stages.0.lr": "learning rate {}",
        "stages.0.epochs": "{} epochs",
        "batch_size": "batch size {}",
        "loss.sigma": "σ {}",
        "args.blocks.0.kernel": "first kernel {0}×{0}",
        "args.blocks.0.padding": "padding {}",
        "augment.rotate": "rotation ±{}°",
        "augment.shift": "shift ±{}",
        "augment.moved": "with probability {}",
        "augment.mirror": "horizontal flip {}",
    }.get(path, path.replace(".", " ").replace("_", " ") + " {}")
    if path in ("augment.shift", "augment.mirror"):
        return word.format(percent(value))
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return word.format(number(value) if plain else value)


def table(recipes: Sequence[Settings]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Rows of settings: those that differ between recipes, one text each, and the rest.

    Takes recipes as training writes them down.
    """
    flat = [settings(recipe) for recipe in recipes]
    texts = {title: [describe(one) for one in flat] for title, describe in _ROWS.items()}
    common = {title: row[0] for title, row in texts.items() if len(set(row)) == 1}
    return {title: row for title, row in texts.items() if title not in common}, common


def _each_stage(describe: Callable[[Settings], str]) -> Callable[[Settings], str]:
    """A description of every stage's settings, given once where all stages agree."""

    def describe_all(recipe: Settings) -> str:
        texts: list[str] = []
        while f"stages.{len(texts)}.epochs" in recipe:
            start = f"stages.{len(texts)}."
            stage = {k.removeprefix(start): v for k, v in recipe.items() if k.startswith(start)}
            texts.append(describe(stage))
        return texts[0] if len(set(texts)) == 1 else ", then ".join(texts)

    return describe_all


def _epochs(recipe: Settings) -> str:
    counts: list[str] = []
    while (count := recipe.get(f"stages.{len(counts)}.epochs")) is not None:
        counts.append(str(count))
    return " + ".join(counts)


def _schedule(stage: Settings) -> str:
    text = _name(_SCHEDULES, stage.get("schedule"))
    if stage.get("gamma") is not None:
        text += f", × {stage['gamma']:g} after {stage.get('step')} epochs"
    if stage.get("warmup"):
        text += f", warm-up over the first {percent(stage['warmup'])}"
    return text


def _optimizer(stage: Settings) -> str:
    text = _name(_OPTIMIZERS, stage.get("optimizer"))
    text += f", momentum {stage['momentum']:g}" if stage.get("momentum") else ""
    weight_decay = stage.get("weight_decay")
    return text + (f", weight decay {number(weight_decay)}" if weight_decay else "")


def _trainable_layers(stage: Settings) -> str:
    text = "head only" if stage.get("freeze_backbone") else "all"
    return text + (", batch-norm statistics frozen" if stage.get("freeze_norm") else "")


def _early_stopping(stage: Settings) -> str:
    return f"{stage['patience']} epochs" if stage.get("patience") else "no"


def _name(names: Mapping[str, str], value: Any) -> str:
    """A setting's value by its name on the page, if it has one."""
    return names.get(str(value), str(value))


def _input(recipe: Settings) -> str:
    colours = _name({"1": "grey", "3": "colour"}, recipe.get("input.channels"))
    return f"{recipe.get('input.width')} × {recipe.get('input.height')} px, {colours}"


def _markup(recipe: Settings) -> str:
    name = recipe.get("markup")
    return markups.get(name).title if name in markups.MARKUPS else str(name)


def _grey(recipe: Settings) -> str:
    return f"mean {recipe.get('input.mean') or 0:g}, std {recipe.get('input.std') or 1:g}"


def _crop(recipe: Settings) -> str:
    scale = recipe.get("framing.scale") or 1
    name = recipe.get("framing.reference")
    return _name(_CROPS, name) + (f" × {scale:g}" if scale != 1 else "")


def _layers(recipe: Settings) -> str:
    parts = []
    for path, value in recipe.items():
        key = path.removeprefix("args.")
        if key == path:
            continue
        if key == "blocks" and isinstance(value, list):
            parts.append("; ".join(map(_block, value)))
        elif isinstance(value, list):
            parts.append(f"{_words(key)} {'-'.join(map(str, value))}")
        elif isinstance(value, bool):
            parts.append(f"{'' if value else 'no '}{_words(key)}")
        else:
            parts.append(f"{_words(key)} {value}")
    return "; ".join(parts) or "as published"


def _words(key: str) -> str:
    words = {"hidden": "linear", "base": "base channels", "xavier": "Xavier initialisation"}
    return words.get(key, key.replace("_", " "))


def _block(block: Mapping[str, Any]) -> str:
    kernel = block.get("kernel", 3)
    text = f"{block['channels']} of {kernel}×{kernel}"
    text += f", stride {block['stride']}" if block.get("stride", 1) != 1 else ""
    text += f", pool {block['pool']}" if block.get("pool") else ""
    return text + (f", dropout {block['dropout']:g}" if block.get("dropout") else "")


def _gaps(recipe: Settings) -> str:
    missing = recipe.get("data.missing")
    if not missing:
        return "none"
    where = "all" if missing is True else _sources(missing)
    how = recipe.get("data.incomplete")
    return f"in {where}; {_name(_GAPS, how)}"


def _sources(names: Any) -> str:
    return " + ".join(map(titles.source, names or ())) or NONE


def _held_out(recipe: Settings) -> str:
    if recipe.get("data.validate"):
        return _sources(recipe["data.validate"])
    return f"{percent(recipe.get('data.holdout') or 0)} held out"


def _loss(recipe: Settings) -> str:
    name = recipe.get("loss.coordinates")
    if not name:
        return "none"
    shape = [
        f"{word} {recipe[path]:g}"
        for word, path in (("bend", "loss.bend"), ("curvature", "loss.curvature"))
        if path in recipe
    ]
    loss = _name(_LOSSES, name) + (f" ({', '.join(shape)})" if shape else "")
    return f"{loss} of {_UNITS.get(str(recipe.get('loss.unit')), '')}"


def _map_loss(recipe: Settings) -> str:
    name = recipe.get("loss.heatmaps")
    if not name:
        return "none"
    weight, sigma = recipe.get("loss.heatmap_weight", 1), recipe.get("loss.sigma", 1)
    return f"{_name(_MAP_LOSSES, name)}, weight {weight:g}, σ {sigma:g} cells"


def _geometric(recipe: Settings) -> str:
    low, high = recipe.get("augment.scale") or (1, 1)
    parts = []
    if recipe.get("augment.rotate"):
        parts.append(f"rotation ±{recipe['augment.rotate']:g}°")
    if recipe.get("augment.shift"):
        parts.append(f"shift ±{percent(recipe['augment.shift'])}")
    if low != high:
        parts.append(f"scale {low:g}–{high:g}")
    chance = recipe.get("augment.moved", 1)
    return (", ".join(parts) or "no") + (
        f" (probability {chance:g})" if parts and chance != 1 else ""
    )


def _photometric(recipe: Settings) -> str:
    parts = [
        f"{name} ±{percent(recipe[path])}"
        for name in ("brightness", "contrast", "saturation")
        if recipe.get(path := f"augment.{name}")
    ]
    return ", ".join(parts) or "no"


def _chance(path: str) -> Callable[[Settings], str]:
    return lambda recipe: percent(recipe[path]) if recipe.get(path) else "no"


def _start(recipe: Settings) -> str:
    if recipe.get("imagenet"):
        return "ImageNet"
    return str(recipe["start_from"]).split("/")[-1] if recipe.get("start_from") else "random"


def _plain(path: str, otherwise: str = "no") -> Callable[[Settings], str]:
    return lambda recipe: number(recipe[path]) if recipe.get(path) is not None else otherwise


_ROWS: dict[str, Callable[[Settings], str]] = {
    "Architecture": lambda recipe: zoo.title(recipe.get("net", NONE)),
    "Keypoints": _markup,
    "Input": _input,
    "Normalisation": _grey,
    "Crop": _crop,
    "Trained on": lambda recipe: _sources(recipe.get("data.train")),
    "Validated on": _held_out,
    "Tested on": lambda recipe: _sources(recipe.get("data.test")),
    "Missing labels": _gaps,
    "Loss on points": _loss,
    "Loss on heatmaps": _map_loss,
    "Epochs": _epochs,
    "Learning rate": _each_stage(lambda stage: number(stage.get("lr"))),
    "LR schedule": _each_stage(_schedule),
    "Optimiser": _each_stage(_optimizer),
    "Trainable layers": _each_stage(_trainable_layers),
    "Early stopping": _each_stage(_early_stopping),
    "Batch size": _plain("batch_size"),
    "Horizontal flip": _chance("augment.mirror"),
    "Geometric augmentation": _geometric,
    "Photometric augmentation": _photometric,
    "Blur": _chance("augment.blur"),
    "Random erasing": _chance("augment.erase"),
    "Initial weights": _start,
    "EMA": _plain("ema"),
    "Gradient clipping": _plain("clip"),
    "Random seed": _plain("seed"),
    "Checkpoint": lambda recipe: _name(_CHECKPOINTS, recipe["keep"]),
    "Layers": _layers,  # last, being the longest
}
