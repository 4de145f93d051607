"""The models that this copy knows: titles, colours, captions, the default ones, the baseline.

A model of the user's own needs no entry: it is called after its folder, and has no caption.
"""

import re
import secrets
import zlib
from dataclasses import dataclass
from pathlib import Path

# A folder for each model: inside an installed package, beside the package in a checkout.
WEIGHTS_DIR = Path(__file__).with_name("weights")
if not WEIGHTS_DIR.exists():
    WEIGHTS_DIR = Path(__file__).parents[1] / "weights"
DEFAULT_MODELS = ("simplenet", "resnet18", "unet", "keypoint-resnet")
BASELINE = "mediapipe"

Color = tuple[int, int, int]


@dataclass(frozen=True)
class Entry:
    """A model's `title`, its RGB `color`, and a `caption` for the picture of its architecture.

    The caption may name sizes of an `Architecture`: `{convolutions}`, `{last}` (the last feature
    maps as channels, height and width), `{numbers}` (how many numbers they hold), `{stages}` and
    `{maps}` (height and width of its heatmaps).
    """

    title: str
    color: Color
    caption: str = ""


_PYRAMID = (
    "the lower row adds that knowledge to the finer maps again, from right to left. The result "
    "is one heatmap of {maps} cells a point, whose centre of mass is the prediction."
)

# The first five colours are Okabe and Ito's, which eyes with any colour blindness tell apart. Each
# of the others was the farthest from all before it, in OKLab, as the nearest of four kinds of eyes
# sees it (usual, and without one kind of cones), among colours that stand out from the page.
# Models that are drawn together stand together; `tests/test_zoo.py` checks how far apart they are.
MODELS: dict[str, Entry] = {
    "simplenet": Entry(
        "SimpleNet",
        (230, 159, 0),
        "Its {convolutions} convolutions turn the face into {last[0]} maps of "
        "{last[1]}×{last[2]}; the fully connected layers turn these {numbers:,} numbers into x "
        "and y of every point, all at once. No map says where a point is, so the last layers "
        "have to learn every place by heart.",
    ),
    "resnet18": Entry(
        "ResNet-18",
        (86, 180, 233),
        "In a residual network a shortcut leads around every two convolutions, so that they only "
        "have to learn what to change. The upper row gets coarser and knows more and more about "
        "the whole face; " + _PYRAMID,
    ),
    "unet": Entry(
        "U-Net",
        (0, 158, 115),
        "Down on the left the maps get smaller and know more of the face; up on the right they "
        "get fine again, and at every level the shortcut brings back the detail that was lost. "
        "Each point has a heatmap of {maps} cells, and lies at the map's centre of mass.",
    ),
    "keypoint-resnet": Entry(
        "KeypointResNet",
        (204, 121, 167),
        "ResNet-18’s idea, narrower, in {stages} stages counting the first convolution, for "
        "smaller faces; " + _PYRAMID + " What is special is its training: many of its faces lack "
        "most labels, and the loss counts those that are there.",
    ),
    "mediapipe": Entry("MediaPipe", (213, 94, 0)),
    "mediapipe-index": Entry("MediaPipe, index map", (213, 94, 0)),
    "mediapipe-offsets": Entry("MediaPipe, offsets", (213, 94, 0)),
    "mediapipe-ridge": Entry("MediaPipe, ridge map", (213, 94, 0)),
    "resnet18-transfer": Entry("ResNet-18, as reported", (0, 114, 178)),
    "simplenet-report": Entry("SimpleNet, as reported", (150, 0, 105)),
    "unet-report": Entry("U-Net, as reported", (135, 0, 255)),
    "unet-report-sigma-1": Entry(
        "U-Net, as reported, σ\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}1", (105, 75, 0)
    ),
    "resnet18-fajardo": Entry("ResNet-18, Fajardo", (210, 0, 180)),
    "resnet18-moore": Entry("ResNet-18, Moore", (150, 120, 255)),
    "resnet18-l1": Entry("ResNet-18, absolute error", (135, 195, 135)),
    "kaggle-cnn": Entry("Kaggle CNN", (150, 90, 105)),
    "kaggle-resnet": Entry("Kaggle ResNet", (90, 60, 150)),
    "facenet-fajardo": Entry("58 points, Fajardo", (210, 15, 75)),
    "facenet-moore": Entry("58 points, Moore", (255, 75, 105)),
    "facialpointsnet": Entry("58 points, FacialPointsNet", (255, 120, 225)),
    "nosenet-fajardo": Entry("Nose tip, Fajardo", (180, 165, 165)),
    "nosenet-kernels": Entry("Nose tip, 5×5 kernels", (165, 75, 210)),
    "nosenet-moore": Entry("Nose tip, Moore", (30, 105, 60)),
}
_OTHER_COLORS: tuple[Color, ...] = ((0, 60, 210), (240, 45, 240), (150, 135, 75))

_BYTES = 12
_SECRET = re.compile(f"~[0-9a-f]{{{2 * _BYTES}}}$")


def title(name: str) -> str:
    """A model's title; a model of the user's own keeps the name of its folder."""
    return MODELS[name].title if name in MODELS else _SECRET.sub("", name)


def secret_name(title: str) -> str:
    """A name that nobody can guess, for a model of one visitor of the page; see `title`."""
    return f"{title}~{secrets.token_hex(_BYTES)}"


def is_secret(name: str) -> bool:
    """Whether a name comes from `secret_name`."""
    return bool(_SECRET.search(name))


def color(name: str) -> Color:
    """A model's RGB colour: the same everywhere, in every run."""
    if name in MODELS:
        return MODELS[name].color
    return _OTHER_COLORS[zlib.crc32(title(name).encode()) % len(_OTHER_COLORS)]
