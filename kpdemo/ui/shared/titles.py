"""How the page calls markups, their points and data sets."""

from kpdemo.keypoints import markup

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


def source(name: str) -> str:
    """The title of a data set that a recipe names."""
    return _SOURCES.get(name, name)


def points(markup_name: str) -> tuple[str, ...]:
    """A name in words for each point of a markup.

    Points that one place of the anatomy stands for are called by it ("left eye outer corner"),
    also where the markup itself only numbers them.
    """
    known = markup.get(markup_name)
    words = list(known.names)
    for place, at in known.anatomy.items():
        if len(at) == 1:
            words[at[0]] = place
    return tuple(word.replace("_", " ") for word in words)
