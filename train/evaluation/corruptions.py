"""Robustness to corruptions: rotated, small, dark, compressed, occluded and grey photos."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from kpdemo.engine.engine import Engine
from kpdemo.evaluation.evaluate import READINGS
from kpdemo.keypoints import markups
from kpdemo.keypoints.metrics import eye_distance, point_errors, summary
from kpdemo.media import corruptions
from kpdemo.models import model_folder
from kpdemo.zoo import BASELINE, DEFAULT_MODELS, WEIGHTS_DIR
from train.data.sources import load
from train.evaluation.evaluate import compare_face, readable, rounded

SOURCE = "300w-common"
RESULT = WEIGHTS_DIR / "robustness.json"
DARKER, QUALITY = 0.4, 20

# Pixels `(H, W, 3)` uint8 RGB, keypoints `(K, 2)` in photo coordinates and the face's number in
# its source -> the corrupted pixels and their keypoints. Deterministic: the number is the seed.
Condition = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def as_it_is(
    pixels: np.ndarray, keypoints: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Unchanged."""
    return pixels, keypoints


def rotated(degrees: float) -> Condition:
    """Rotated, clockwise for even numbers; the canvas grows to hold the whole picture."""

    def rotate(
        pixels: np.ndarray, keypoints: np.ndarray, number: int
    ) -> tuple[np.ndarray, np.ndarray]:
        turned, matrix = corruptions.turn(pixels, degrees if number % 2 == 0 else -degrees)
        return turned, corruptions.move(keypoints, matrix)

    return rotate


def half_size(
    pixels: np.ndarray, keypoints: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Both sides halved."""
    small, matrix = corruptions.resize(pixels, 0.5)
    return small, corruptions.move(keypoints, matrix)


def dark(pixels: np.ndarray, keypoints: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Every value multiplied by 0.4."""
    return corruptions.darken(pixels, DARKER), keypoints


def jpeg(pixels: np.ndarray, keypoints: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Compressed as JPEG at quality 20."""
    return corruptions.compress(pixels, QUALITY), keypoints


def quarter_hidden(
    pixels: np.ndarray, keypoints: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """A mid-grey rectangle over one quadrant of the keypoints' box, chosen by the number."""
    low, high = keypoints.min(0), keypoints.max(0)
    corner = low + (high - low) / 2 * np.divmod(np.random.default_rng(number).integers(4), 2)
    return corruptions.cover(pixels, np.array([corner, corner + (high - low) / 2])), keypoints


def grey(pixels: np.ndarray, keypoints: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Converted to grey, three channels."""
    return cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), keypoints


CONDITIONS: dict[str, Condition] = {
    "as it is": as_it_is,
    "rotated 15°": rotated(15),
    "rotated 30°": rotated(30),
    "rotated 45°": rotated(45),
    "half size": half_size,
    "dark (×0.4)": dark,
    "JPEG quality 20": jpeg,
    "a quarter of the face hidden": quarter_hidden,
    "grey": grey,
}


def measure(destination: Path = RESULT) -> dict:
    """Evaluate the default models and MediaPipe under every condition, with the app's pipeline.

    Writes `robustness.json`: NME in percent of the eye distance of the labels on the corrupted
    picture, failure rate and share of lost faces; a lost face is a failure and not in the NME.
    Raises CheckpointError if one of them is unavailable.
    """
    faces, _ = readable(load(SOURCE))
    with Engine([WEIGHTS_DIR / name for name in DEFAULT_MODELS]) as engine:
        markup = {name: engine.store.model(name).config.markup for name in DEFAULT_MODELS}
        markup |= dict.fromkeys(READINGS, "ibug-68")
        errors: dict[str, dict[str, list[np.ndarray]]] = {
            condition: {name: [] for name in markup} for condition in CONDITIONS
        }
        for number, face in enumerate(tqdm(faces, desc="robustness", disable=None)):
            pixels = face.pixels(3)
            for condition, change in CONDITIONS.items():
                corrupted, keypoints = change(pixels, face.keypoints, number)
                predictions = predict_all(engine, corrupted, keypoints)
                unit = np.array([eye_distance(keypoints, face.markup)])
                for name, target in markup.items():
                    truth = markups.convert(keypoints, face.markup, target)
                    points = predictions.get(name, np.full_like(truth, np.nan))
                    errors[condition][name].append(point_errors(points[None], truth[None], unit))
    result = {
        "source": SOURCE,
        "faces": len(faces),
        "command": "python -m train robustness",
        "conditions": {
            condition: {name: figures(np.concatenate(rows)) for name, rows in models.items()}
            for condition, models in errors.items()
        },
    }
    model_folder.write_json(destination, result)
    return result


def predict_all(engine: Engine, pixels: np.ndarray, keypoints: np.ndarray) -> dict[str, np.ndarray]:
    """Every model's keypoints on the labelled face, in photo coordinates, by name.

    A model without a prediction on this face is left out; MediaPipe has one entry a map.
    """
    match = compare_face(engine, [*DEFAULT_MODELS, BASELINE], pixels, keypoints)
    if match is None:
        return {}
    points = {name: prediction.keypoints for name, prediction in match.predictions.items()}
    if points.pop(BASELINE, None) is not None:
        converted = match.predictions[BASELINE].converted
        points |= {name: converted[kind] for name, kind in READINGS.items()}
    return points


def figures(errors: np.ndarray) -> dict[str, float | None]:
    """NME, FR@8 and the share of lost faces, from point errors `(F, K)`."""
    measured = summary(errors)
    return {name: rounded(measured[name]) for name in ("nme", "fr8", "lost")}
