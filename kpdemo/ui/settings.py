"""A recipe's settings in words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kpdemo import markup
from kpdemo.histories import settings
from kpdemo.ui import names

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
    "keypoint-box": "keypoints’ box",
    "imm-picture": "whole IMM picture",
    "kaggle": "as Kaggle’s",
}
_GAPS = {
    "mask": "gaps skipped by the loss",
    "drop": "faces with gaps dropped",
    "fill": "gaps filled from the face before",
}
_UNMOVED = {
    "augment.rotate": "not turned",
    "augment.shift": "not shifted",
    "augment.mirror": "none mirrored",
}
_OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD"}
_COURSES = {"onecycle": "one cycle", "step": "in steps", "plateau": "falls on a plateau"}


def number(value: float) -> str:
    """A setting's value, short: 0.5, 16, 1e-4."""
    if value == 0 or abs(value) >= 0.01:
        return f"{value:g}"
    digits, power = f"{value:e}".split("e")
    return f"{float(digits):g}e{int(power)}"


def percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def changed(path: str, value: Any) -> str:
    """The one setting that a sweep changes and its value: "learning rate 1e-4".

    Empty for a value that needs no words.
    """
    if path == "data.incomplete":
        return _GAPS.get(value, str(value))
    if path == "stages.0.freeze_backbone":
        return "the head alone first" if value else "the whole net from the start"
    if path == "args.pixels":
        return "answers in pixels" if value else "answers in crop coordinates"
    if path in _UNMOVED and not value:
        return _UNMOVED[path]
    if path == "augment.moved" and value == 1:
        return ""
    word = {
        "stages.0.lr": "learning rate {}",
        "stages.0.epochs": "{} epochs",
        "batch_size": "batches of {}",
        "loss.sigma": "σ {}",
        "args.blocks.0.kernel": "first kernel {0}×{0}",
        "args.blocks.0.padding": "its padding {}",
        "augment.rotate": "turned by ±{}°",
        "augment.shift": "shifted by ±{}",
        "augment.moved": "with probability {}",
        "augment.mirror": "{} mirrored",
    }.get(path, path.replace(".", " ").replace("_", " ") + " {}")
    if path in ("augment.shift", "augment.mirror"):
        return word.format(percent(value))
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return word.format(number(value) if plain else value)


def table(recipes: Sequence[Settings]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Rows of settings in words: those that differ between recipes, one text each, and the rest.

    Takes recipes as training writes them down.
    """
    known = [settings(recipe) for recipe in recipes]
    texts = {title: [words(one) for one in known] for title, words in _ROWS.items()}
    common = {title: row[0] for title, row in texts.items() if len(set(row)) == 1}
    return {title: row for title, row in texts.items() if title not in common}, common


def _each_stage(tell: Callable[[Callable[[str], Any]], str]) -> Callable[[Settings], str]:
    """Words for every stage, said once where all stages agree."""

    def words(known: Settings) -> str:
        told = []
        while f"stages.{len(told)}.epochs" in known:
            start = f"stages.{len(told)}."
            told.append(tell(lambda key, start=start: known.get(start + key)))
        return told[0] if len(set(told)) == 1 else ", then ".join(told)

    return words


def _epochs(known: Settings) -> str:
    counts = []
    while (count := known.get(f"stages.{len(counts)}.epochs")) is not None:
        counts.append(str(count))
    return " + ".join(counts)


def _course(get: Callable[[str], Any]) -> str:
    said = _COURSES.get(get("schedule"), str(get("schedule")))
    if get("gamma") is not None:
        said += f", × {get('gamma'):g} after {get('step')} epochs"
    return said + (f", rising for the first {percent(get('warmup'))}" if get("warmup") else "")


def _optimizer(get: Callable[[str], Any]) -> str:
    said = _OPTIMIZERS.get(get("optimizer"), str(get("optimizer")))
    said += f", momentum {get('momentum'):g}" if get("momentum") else ""
    return said + (f", weight decay {number(get('weight_decay'))}" if get("weight_decay") else "")


def _learns(get: Callable[[str], Any]) -> str:
    said = "the head alone" if get("freeze_backbone") else "the whole net"
    return said + (", batch norm’s statistics kept" if get("freeze_norm") else "")


def _input(known: Settings) -> str:
    colours = {1: "grey", 3: "colour"}.get(known.get("input.channels"), "")
    return f"{known.get('input.width')} × {known.get('input.height')} px, {colours}"


def _markup(known: Settings) -> str:
    name = known.get("markup")
    return markup.get(name).title if name in markup.MARKUPS else str(name)


def _grey(known: Settings) -> str:
    return f"less {known.get('input.mean', 0):g}, over {known.get('input.std', 1):g}"


def _crop(known: Settings) -> str:
    scale = known.get("framing.scale", 1)
    name = known.get("framing.reference")
    return _CROPS.get(name, str(name)) + (f" × {scale:g}" if scale != 1 else "")


def _layers(known: Settings) -> str:
    parts = []
    for path, value in known.items():
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
    words = {"hidden": "linear", "base": "channels at the top", "xavier": "Xavier’s first weights"}
    return words.get(key, key.replace("_", " "))


def _block(block: Mapping[str, Any]) -> str:
    kernel = block.get("kernel", 3)
    said = f"{block['channels']} of {kernel}×{kernel}"
    said += f", step {block['stride']}" if block.get("stride", 1) != 1 else ""
    said += f", pool {block['pool']}" if block.get("pool") else ""
    return said + (f", dropout {block['dropout']:g}" if block.get("dropout") else "")


def _gaps(known: Settings) -> str:
    missing = known.get("data.missing")
    if not missing:
        return "none"
    where = "all" if missing is True else _sources(missing)
    how = known.get("data.incomplete")
    return f"in {where}; {_GAPS.get(how, how)}"


def _sources(found: Any) -> str:
    return " + ".join(map(names.source, found or ())) or NONE


def _held_out(known: Settings) -> str:
    if known.get("data.validate"):
        return _sources(known["data.validate"])
    return f"{percent(known.get('data.holdout', 0))} held out"


def _loss(known: Settings) -> str:
    name = known.get("loss.coordinates")
    if not name:
        return "none"
    shape = [
        f"{word} {known[path]:g}"
        for word, path in (("bend", "loss.bend"), ("curvature", "loss.curvature"))
        if path in known
    ]
    said = _LOSSES.get(name, name) + (f" ({', '.join(shape)})" if shape else "")
    return f"{said} of {_UNITS.get(known.get('loss.unit'), '')}"


def _map_loss(known: Settings) -> str:
    name = known.get("loss.heatmaps")
    if not name:
        return "none"
    said = _MAP_LOSSES.get(name, name)
    weight, sigma = known.get("loss.heatmap_weight", 1), known.get("loss.sigma", 1)
    return f"{said}, weight {weight:g}, σ {sigma:g} cells"


def _moved(known: Settings) -> str:
    low, high = known.get("augment.scale") or (1, 1)
    said = []
    if known.get("augment.rotate"):
        said.append(f"turned ±{known['augment.rotate']:g}°")
    if known.get("augment.shift"):
        said.append(f"shifted ±{percent(known['augment.shift'])}")
    if low != high:
        said.append(f"zoomed {low:g}–{high:g}")
    chance = known.get("augment.moved", 1)
    return (", ".join(said) or "no") + (f" (chance {chance:g})" if said and chance != 1 else "")


def _light(known: Settings) -> str:
    said = [
        f"{name} ±{percent(known[path])}"
        for name in ("brightness", "contrast", "saturation")
        if known.get(path := f"augment.{name}")
    ]
    return ", ".join(said) or "no"


def _chance(path: str) -> Callable[[Settings], str]:
    return lambda known: percent(known[path]) if known.get(path) else "no"


def _start(known: Settings) -> str:
    if known.get("imagenet"):
        return "ImageNet’s weights"
    return str(known["start_from"]).split("/")[-1] if known.get("start_from") else "random weights"


def _plain(path: str, otherwise: str = "no") -> Callable[[Settings], str]:
    return lambda known: number(known[path]) if known.get(path) is not None else otherwise


_ROWS: dict[str, Callable[[Settings], str]] = {
    "Architecture": lambda known: names.model(known.get("net", NONE)),
    "Keypoints": _markup,
    "Input": _input,
    "Grey levels": _grey,
    "Crop": _crop,
    "Trained on": lambda known: _sources(known.get("data.train")),
    "Validated on": _held_out,
    "Tested on": lambda known: _sources(known.get("data.test")),
    "Missing labels": _gaps,
    "Loss on points": _loss,
    "Loss on heatmaps": _map_loss,
    "Epochs": _epochs,
    "Learning rate": _each_stage(lambda get: number(get("lr"))),
    "Its course": _each_stage(_course),
    "Optimiser": _each_stage(_optimizer),
    "What learns": _each_stage(_learns),
    "Early stop": _each_stage(lambda get: f"{get('patience')} epochs" if get("patience") else "no"),
    "Batch": _plain("batch_size"),
    "Mirrored": _chance("augment.mirror"),
    "Moved": _moved,
    "Light changed": _light,
    "Blurred": _chance("augment.blur"),
    "Patch erased": _chance("augment.erase"),
    "Starts from": _start,
    "Weights averaged": _plain("ema"),
    "Gradients cut at": _plain("clip"),
    "Random seed": _plain("seed"),
    "Weights kept": lambda known: {"best": "of the best epoch", "last": "of the last epoch"}.get(
        known["keep"], known["keep"]
    ),
    "Layers": _layers,  # last, being the longest
}
