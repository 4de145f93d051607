"""Names of data sets, keypoints and devices on the page."""

from pathlib import Path

from kpdemo.keypoints import markups

_SOURCES = {
    "300w": "300\N{NON-BREAKING HYPHEN}W",
    "300w-common": "300\N{NON-BREAKING HYPHEN}W common",
    "300w-partial": "300\N{NON-BREAKING HYPHEN}W, partial labels",
    "bioid": "BioID",
    "imagenet": "ImageNet",
    "imm": "IMM",
    "imm-validation": "IMM, persons 33 to 40",
    "kaggle": "Kaggle",
    "ytf": "YouTube Faces",
}
# By what PyTorch calls them, and the Hub's lent GPUs.
_DEVICES = {"cpu": "processor", "cuda": "CUDA", "mps": "Apple GPU", "zerogpu": "ZeroGPU"}


def device(name: str) -> str:
    """What the page calls a kind of device."""
    return _DEVICES.get(name, name)


def source(name: str) -> str:
    """The title of a data set that a recipe names, or of the pseudo-labels of one (a file)."""
    if name.endswith(".json"):
        return f"{source(Path(name).stem)} (pseudo-labels)"
    return _SOURCES.get(name, name)


def points(markup_name: str) -> tuple[str, ...]:
    """The name of each keypoint of a markup.

    Keypoints at a single anatomical place are named after it ("left eye outer corner"), also where
    the markup only numbers them.
    """
    scheme = markups.get(markup_name)
    names = list(scheme.names)
    for place, at in scheme.anatomy.items():
        if len(at) == 1:
            names[at[0]] = place
    return tuple(name.replace("_", " ") for name in names)
