"""How the page calls models, markups and data sets."""

from kpdemo import markup

_MODELS = {
    "simplenet": "SimpleNet",
    "resnet18": "ResNet-18",
    "unet": "U-Net",
    "keypoint-resnet": "KeypointResNet",
    "mediapipe": "MediaPipe",
    "mediapipe-index": "MediaPipe, index map",
    "mediapipe-offsets": "MediaPipe, offsets",
    "mediapipe-ridge": "MediaPipe, ridge map",
    "nosenet-fajardo": "Nose tip, Fajardo",
    "nosenet-kernels": "Nose tip, 5×5 kernels",
    "nosenet-moore": "Nose tip, Moore",
    "facenet-fajardo": "58 points, Fajardo",
    "facialpointsnet": "58 points, FacialPointsNet",
    "facenet-moore": "58 points, Moore",
    "resnet18-fajardo": "ResNet-18, Fajardo",
    "resnet18-l1": "ResNet-18, absolute error",
    "resnet18-moore": "ResNet-18, Moore",
    "simplenet-report": "SimpleNet, as reported",
    "resnet18-transfer": "ResNet-18, as reported",
    "unet-report": "U-Net, as reported",
    "unet-report-sigma-1": "U-Net, as reported, σ\N{NO-BREAK SPACE}1",
    "kaggle-cnn": "Kaggle CNN",
    "kaggle-resnet": "Kaggle ResNet",
}
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


def model(name: str) -> str:
    """A model's title; a model of the user's own keeps the name of its folder."""
    return _MODELS.get(name, name)


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
