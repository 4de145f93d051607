"""Two mistakes that the class projects' authors describe, made on the visitor's photo."""

from functools import partial
from html import escape

import cv2
import gradio as gr
import numpy as np

from kpdemo import zoo
from kpdemo.engine.engine import Engine
from kpdemo.explain.mistakes import mean_face_prediction, scaled_by_photo
from kpdemo.faces.crop import Crop
from kpdemo.keypoints.metrics import eye_distance
from kpdemo.media import draw
from kpdemo.models import crop_rules
from kpdemo.models.model_folder import CheckpointError
from kpdemo.records.histories import Histories
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import image_data
from kpdemo.ui.shared.queues import MODELS_QUEUE
from kpdemo.ui.training.outline import mean_face
from kpdemo.ui.training.predicted_labels import best_model, points
from kpdemo.zoo import Color

_MARKUP = "ibug-68"
_SIDE = 480  # pixels of a drawing
_WRONG: Color = (255, 255, 255)
_NO_FACE = "Compare a photo with a face on the first tab to see both mistakes on it."


def build(engine: Engine, histories: Histories, session: gr.State, tab: gr.Tab) -> None:
    """Lay out the section; `session` holds the last `PhotoResult`."""
    drawn = gr.HTML(elem_id="training-mistakes", apply_default_css=False)
    tab.select(
        partial(show, engine, histories),
        session,
        drawn,
        **MODELS_QUEUE,
        show_progress="hidden",
        api_visibility="private",
        trigger_mode="always_last",
    )


def show(engine: Engine, histories: Histories, result: PhotoResult | None) -> str:
    """HTML of both mistakes, made with the best model's points on the first face.

    A hint without a face; empty without a model of 68 points.
    """
    library = histories.read()
    model = best_model(engine, library, _MARKUP)
    mean = mean_face(_MARKUP)
    if result is None or not result.comparison.faces:
        return f'<p class="kp-small">{_NO_FACE}</p>'
    if model is None or mean is None:
        return ""
    try:
        right = result.photo.to_work(points(engine, model, result))
    except CheckpointError:
        return ""
    pixels, framing = result.photo.pixels, engine.store.configs[model].framing
    height, width = pixels.shape[:2]
    crop = crop_rules.from_face(framing, result.detection(0).mapped(result.photo.to_work))
    scaled = scaled_by_photo(right, crop, width, height)
    collapsed = mean_face_prediction(mean, _MARKUP, framing)(crop)
    close, right_close, collapsed_close = _close(pixels, crop, right, collapsed)
    title, errors = zoo.title(model), library.errors[model]
    off = _off(scaled, right)
    figures = (
        _figure(
            _drawn(pixels, right, scaled, model),
            "Scaled by the photo instead of the face’s box",
            "A net predicts shares of the face’s box. Taken for shares of the whole photo, the "
            f"points of {title} land on the white ones: {off:.0f} % of the eye distance away, "
            f"{off / errors.nme:.0f} times its mean error on the test faces ({errors.nme:.2f} %). "
            "The author of “ResNet-18, Moore” reports a factor of 40.",
        ),
        _figure(
            _drawn(close, right_close, collapsed_close, model),
            "The mean face for every photo",
            "The white points are the mean face in the face’s box: what a net predicts that has "
            "learned nothing more, a “heart” whoever is on the photo. Here they are "
            f"{_off(collapsed, right):.1f} % of the eye distance away from {title}’s points"
            + (
                f"; on the test faces the mean face’s error is {errors.mean_answer:.1f} %."
                if errors.mean_answer is not None
                else "."
            ),
        ),
    )
    return f'<div class="kp-mistakes">{"".join(figures)}</div>'


def _off(wrong: np.ndarray, right: np.ndarray) -> float:
    """The mean distance of two sets of points, in percent of the eye distance."""
    distance = np.linalg.norm(wrong - right, axis=-1).mean()
    return float(100 * distance / eye_distance(right, _MARKUP))


def _close(
    pixels: np.ndarray, crop: Crop, right: np.ndarray, wrong: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A crop of `_SIDE` pixels, and both shapes on it."""
    whole = Crop.whole(_SIDE, _SIDE)
    right, wrong = (whole.to_photo(crop.to_crop(shape)) for shape in (right, wrong))
    return crop.cut(pixels, _SIDE, _SIDE), right, wrong


def _drawn(pixels: np.ndarray, right: np.ndarray, wrong: np.ndarray, model: str) -> str:
    """A data URI of the model's points, and of the wrong ones in white."""
    height, width = pixels.shape[:2]
    ratio = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(ratio * width)), max(1, round(ratio * height)))
    canvas = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    for shape, color in ((wrong, _WRONG), (right, zoo.color(model))):
        canvas = draw.overlay(canvas, (shape + 0.5) * ratio - 0.5, _MARKUP, color)
    return image_data.data_uri(canvas, "jpeg")


def _figure(uri: str, title: str, text: str) -> str:
    return (
        f'<figure><img src="{uri}" alt="{escape(title)}"><figcaption><h3>{escape(title)}</h3>'
        f"<p>{escape(text)}</p></figcaption></figure>"
    )
