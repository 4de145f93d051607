"""The endpoints `/compare`, `/keypoints` and `/models`, over HTTP and as MCP tools.

Gradio shows the functions' type hints and docstrings to its clients and to language models.
"""

from pathlib import Path
from typing import Literal, TypedDict, cast

import gradio as gr
import torch
from gradio_client.utils import is_file_obj_with_meta

from kpdemo.engine.engine import Engine
from kpdemo.keypoints import markups
from kpdemo.media.images import ImageError
from kpdemo.models import nets
from kpdemo.structures import Comparison
from kpdemo.ui.shared.queues import MODELS_QUEUE


class FileMark(TypedDict):
    _type: Literal["gradio.FileData"]


class Photo(TypedDict):
    """An uploaded file, as Gradio's clients hand it over."""

    path: str
    meta: FileMark


class Size(TypedDict):
    width: int
    height: int


class Face(TypedDict):
    """`box` is x0, y0, x1, y1; keypoints are x, y; confidence is from 0 to 1, the expected error in
    percent of the eye distance, both null if unknown.

    Where keypoints are null, `missing` says why.
    """

    box: list[float]
    score: float
    roll: float
    keypoints: list[list[float]] | None
    confidence: list[float] | None
    expected_error: list[float] | None
    missing: str | None


class Keypoints(TypedDict):
    """One model's answer; `names` has the keypoints' names in the order of each face's."""

    photo: Size
    model: str
    markup: str
    names: list[str]
    faces: list[Face]
    faces_left_out: int
    notices: list[str]


# The last three are MediaPipe's points read as iBUG's and Kaggle's; only MediaPipe has them, and no
# confidence.
Answer = TypedDict(
    "Answer",
    {
        "markup": str,
        "keypoints": list[list[float]],
        "confidence": list[float],
        "expected_error": list[float],
        "milliseconds": float,
        "ibug-68": list[list[float]],
        "ibug-68-fitted": list[list[float]],
        "kaggle-15-fitted": list[list[float]],
    },
    total=False,
)


class ComparedFace(TypedDict):
    box: list[float]
    score: float
    roll: float
    models: dict[str, Answer]
    missing: dict[str, str]
    confirmed: bool | None


class Result(TypedDict):
    """What `Comparison.to_dict()` gives."""

    photo: Size
    faces: list[ComparedFace]
    timings: dict[str, float]
    unavailable: dict[str, str]
    faces_left_out: int
    devices: dict[str, str]
    notices: list[str]


class Model(TypedDict):
    """`parameters` is null for MediaPipe, whose nets are not ours to count."""

    name: str
    markup: str
    keypoints: list[str]
    parameters: int | None


_EXAMPLES = Path(__file__).with_name("api.html")
_ADDRESS = """const address = new URL(".", location.href).href;
element.querySelectorAll("[data-address]").forEach((part) => { part.textContent = address; });"""


def build(engine: Engine) -> None:
    """Add the endpoints. First on the page: an earlier listener would take their names."""

    def compare(photo: Photo, models: list[str] | None = None) -> Result:
        """
        Find all faces of a photo and say where several neural networks and MediaPipe put the
        facial keypoints of each. Coordinates are pixels of the upright photo: x to the right,
        y down, from 0 at the centre of the first pixel. Faces come biggest first, 50 at most; a
        photo without a face gives an empty list. An upload is deleted after a few minutes.

        Parameters:
            photo: The photo, a file of 50 MB and 40 megapixels at most (JPEG, PNG, WebP, AVIF, HEIC, BMP, GIF or TIFF).
            models: Names from the endpoint models; by default simplenet, resnet18, unet, keypoint-resnet and mediapipe.
        Returns:
            The photo's size, for each face its box and each model's keypoints with their confidence and expected error (percent of the eye distance), whether MediaPipe confirms it, milliseconds by stage, the device of each model, what is missing on a face or unavailable and why, how many faces were left out, and notices.
        """  # noqa: E501
        return cast(Result, _compare(engine, photo, models).to_dict())

    def keypoints(photo: Photo, model: str = "unet") -> Keypoints:
        """
        Find all faces of a photo and say where one model puts the facial keypoints of each
        (eyes, brows, nose, mouth, jaw). Coordinates are pixels of the upright photo: x to the
        right, y down, from 0 at the centre of the first pixel. Faces come biggest first, 50 at
        most; a photo without a face gives an empty list. An upload is deleted after a few minutes.

        Parameters:
            photo: The photo, a file of 50 MB and 40 megapixels at most (JPEG, PNG, WebP, AVIF, HEIC, BMP, GIF or TIFF).
            model: A name from the endpoint models; by default unet, the most exact one for 68 points.
        Returns:
            The photo's size, the keypoints' names, and for each face its box, keypoints, confidence and expected error (percent of the eye distance), or why they are missing; how many faces were left out, and notices.
        """  # noqa: E501
        result = _compare(engine, photo, [model]).to_dict()
        if model in result["unavailable"]:
            raise _error(f"{model} is unavailable: {result['unavailable'][model]}")
        name = engine.markup(model)
        faces = []
        for face in result["faces"]:
            answer = face.pop("models").get(model, {})
            own = {key: answer.get(key) for key in ("keypoints", "confidence", "expected_error")}
            faces.append(face | own | {"missing": face["missing"].get(model)})
        return {
            "photo": result["photo"],
            "model": model,
            "markup": name,
            "names": list(markups.get(name).names),
            "faces": faces,
            "faces_left_out": result["faces_left_out"],
            "notices": result["notices"],
        }

    def models() -> list[Model]:
        """
        Which models the endpoints compare and keypoints know: each one's name, its markup (which
        keypoints it gives, in what order), the keypoints' names and how many parameters it has.
        Left and right are the subject's.

        Returns:
            The models, the default ones first.
        """
        return [_describe(engine, name) for name in engine.names]

    # Calls that compute share the queue of the page's visitors.
    gr.api(compare, **MODELS_QUEUE)
    gr.api(keypoints, **MODELS_QUEUE)
    gr.api(models)


def footer() -> None:
    """How to call the endpoints, in a collapsed section."""
    examples = _EXAMPLES.read_text(encoding="utf-8")
    gr.HTML(examples, js_on_load=_ADDRESS, apply_default_css=False, elem_id="api")


def _compare(engine: Engine, photo: Photo, models: list[str] | None) -> Comparison:
    # Gradio checks files with this mark, and only those, to be uploads: without the mark, any path
    # of this machine could stand there.
    if not is_file_obj_with_meta(photo):
        raise _error("Upload the photo first, and pass what the upload answers as a FileData.")
    try:
        return engine.compare(photo["path"], models)
    except (ImageError, ValueError) as error:
        raise _error(str(error)) from None


def _error(sentence: str) -> gr.Error:
    return gr.Error(sentence, print_exception=False)


def _describe(engine: Engine, name: str) -> Model:
    markup_name = engine.markup(name)
    parameters = None
    if name in engine.store.configs:
        # Counting needs neither weights nor their file.
        with torch.device("meta"):
            net = nets.build(engine.store.configs[name])
        parameters = sum(p.numel() for p in net.parameters())
    return {
        "name": name,
        "markup": markup_name,
        "keypoints": list(markups.get(markup_name).names),
        "parameters": parameters,
    }
