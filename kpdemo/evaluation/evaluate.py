"""Models on labelled faces through the app's own stages: from the photo to the points."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from kpdemo.engine.batch import BatchResult, Predictors, compare_many
from kpdemo.engine.engine import Engine
from kpdemo.evaluation.labels import LabelledPhoto, Labels
from kpdemo.evaluation.matching import match_by_overlap
from kpdemo.evaluation.measures import bounds, finite_mean, measures, rounded, rounded_points
from kpdemo.keypoints import annotations, markups
from kpdemo.keypoints.annotations import TruthError
from kpdemo.keypoints.metrics import eye_distance, face_errors, point_errors
from kpdemo.structures import ComparedFace, Comparison, Prediction
from kpdemo.zoo import BASELINE

WORST = 5  # faces a model
FAILURE = 10.0  # percent of the eye distance, beside the usual 8
# MediaPipe's mesh is read as iBUG's points in two ways, called as in `weights/`.
READINGS = {f"{BASELINE}-index": "ibug-68", f"{BASELINE}-ridge": "ibug-68-fitted"}


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """A labelled face: its name, sub-folder and photo, points `(K, 2)`, and eye distance."""

    name: str
    folder: str
    photo: str
    points: np.ndarray
    eyes: float


@dataclass(eq=False)
class Result:
    """One model on the labelled faces, or one way to read MediaPipe's mesh.

    `predicted` is `(F, K, 2)` in the model's `markup`, NaN for faces without any points. `scheme`
    is the markup in which they are compared with the labels, the model's or the labels', whichever
    can name more of the other's points, and `points` how many it names. `errors` `(F,)` are NaN
    for faces without labels of these points, infinite for those without predictions. `figures` are
    those of `measures`, and more.
    """

    name: str
    markup: str
    scheme: str
    predicted: np.ndarray
    points: int
    errors: np.ndarray
    figures: dict


@dataclass(eq=False)
class Report:
    """All models on the labelled faces; differences are to the `reference`.

    `not_found` are faces that no detected face covers. `bad` has a sentence for each photo that
    could not be used, `unavailable` for each model.
    """

    labels: Labels
    faces: list[LabelledFace]
    results: list[Result]
    reference: str
    not_found: list[str]
    bad: dict[str, str]
    unavailable: dict[str, str] = field(default_factory=dict)

    @property
    def photos(self) -> int:
        return len({face.photo for face in self.faces})

    @property
    def folders(self) -> list[str]:
        """The sub-folders with faces, where there is more than one."""
        names = sorted({face.folder for face in self.faces})
        return names if len(names) > 1 else []


def evaluate(
    engine: Engine,
    labels: Labels,
    models: Sequence[str] | None = None,
    reference: str | None = None,
    compare: Callable[[Engine, Iterable[Path], Predictors], Iterator[BatchResult]] = compare_many,
) -> Report:
    """Every model on all labelled faces.

    A labelled face is the detected one whose box overlaps the labels' most, as in `metrics.json`;
    one that is not detected, or has no points, counts as a failure. The `reference` is by default
    MediaPipe's fitted map, else the first model. `compare` gives the result for each photo, in
    order. Shows a progress bar where standard error is a terminal. Raises ValueError for an unknown
    model or reference, TruthError where no face can be measured.
    """
    predictors = Predictors(engine, models)
    names = [name for each in predictors.names for name in _rows(each)]
    if reference is None:
        fitted = f"{BASELINE}-ridge"
        reference = fitted if fitted in names else names[0]
    elif reference not in names:
        raise ValueError(f"The reference {reference} is none of {', '.join(names)}.")
    bad = dict(labels.bad)
    faces: list[LabelledFace] = []
    matches: list[ComparedFace | None] = []
    photos = labels.photos
    compared = compare(engine, (photo.path for photo in photos), predictors)
    for photo, one in zip(
        photos, tqdm(compared, total=len(photos), unit="photo", disable=None), strict=True
    ):
        result = one.comparison
        if result is None:
            bad[photo.name] = one.error
        elif why := _outside(photo, result):
            bad[photo.name] = why
        else:
            if failures := [
                sentence
                for name, sentence in result.unavailable.items()
                if name in predictors.names
            ]:
                bad[photo.name] = " ".join(failures)
            for face in _faces(photo, labels.markup, bad):
                faces.append(face)
                matches.append(match_by_overlap(result.faces, face.points))
    if not faces:
        why = next(iter(bad.values()), "There is none.")
        raise TruthError(f"No labelled face can be measured. {why}")
    report = Report(
        labels=labels,
        faces=faces,
        results=[],
        reference=reference,
        not_found=[f.name for f, match in zip(faces, matches, strict=True) if match is None],
        bad=bad,
        unavailable=dict(predictors.unavailable),
    )
    for name in predictors.names:
        for row, read in _rows(name).items():
            markup = "ibug-68" if row in READINGS else engine.markup(name)
            predicted = _predictions(matches, name, read, len(markups.get(markup)))
            scheme = _scheme(labels.markup, markup)
            if scheme is None:
                report.unavailable[row] = f"It has no point in common with {labels.markup}."
            else:
                report.results.append(_result(row, markup, scheme, predicted, report))
    _compare_with_reference(report)
    return report


def _rows(model: str) -> dict[str, Callable[[Prediction], np.ndarray]]:
    """The rows of a model, each with how its points are read from a prediction."""
    if model != BASELINE:
        return {model: lambda prediction: prediction.keypoints}
    return {
        row: lambda prediction, reading=reading: prediction.converted[reading]  # type: ignore[misc]
        for row, reading in READINGS.items()
    }


def _outside(photo: LabelledPhoto, result: Comparison) -> str:
    """A sentence on a label that was made for another picture, empty for a good one."""
    for points in photo.faces:
        for k in annotations.outside(points, result.width, result.height)[:1]:
            x, y = points[k]
            return (
                f"Its point {k + 1}, at ({x:g}, {y:g}), lies outside the picture of "
                f"{result.width} × {result.height} pixels."
            )
    return ""


def _faces(photo: LabelledPhoto, markup: str, bad: dict[str, str]) -> list[LabelledFace]:
    faces = []
    for number, points in enumerate(photo.faces, 1):
        name = photo.name if len(photo.faces) == 1 else f"{photo.name}, face {number}"
        try:
            eyes = float(eye_distance(points, markup))
        except KeyError:  # a single nose tip has no eyes
            raise TruthError(f"{markup} has no eye corners, whose distance is the unit.") from None
        if eyes > 0:
            faces.append(LabelledFace(name, photo.folder, photo.name, points, eyes))
        else:
            bad[name] = "It has no label for one of the outer eye corners."
    return faces


def _predictions(
    matches: Sequence[ComparedFace | None],
    model: str,
    read: Callable[[Prediction], np.ndarray],
    count: int,
) -> np.ndarray:
    """One model's points on each face: `(F, K, 2)`, NaN where there are none."""
    predicted = np.full((len(matches), count, 2), np.nan, np.float32)
    for row, match in enumerate(matches):
        if match is not None and model in match.predictions:
            predicted[row] = read(match.predictions[model])
    return predicted


def _scheme(labels: str, model: str) -> str | None:
    """The markup in which to compare: that in which the other can name more points."""
    in_model, in_labels = _nameable(labels, model).sum(), _nameable(model, labels).sum()
    if not max(in_model, in_labels):
        return None
    return model if in_model >= in_labels else labels


def _nameable(source: str, target: str) -> np.ndarray:
    """Which points of the target's markup the source can name: bool `(K_target,)`."""
    points = np.zeros((len(markups.get(source)), 2), np.float32)
    return np.isfinite(markups.convert(points, source, target)).all(-1)


def _in_scheme(
    predicted: np.ndarray, markup: str, report: Report, scheme: str
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and labels in one markup; labels are NaN where the model names no point."""
    truth = np.stack(
        [markups.convert(face.points, report.labels.markup, scheme) for face in report.faces]
    )
    truth[:, ~_nameable(markup, scheme)] = np.nan
    return markups.convert(predicted, markup, scheme), truth


def _count(truth: np.ndarray) -> int:
    """How many points any face has a label of."""
    return int(np.isfinite(truth).all(-1).any(0).sum())


def _result(name: str, markup: str, scheme: str, raw: np.ndarray, report: Report) -> Result:
    predicted, truth = _in_scheme(raw, markup, report, scheme)
    eyes = np.array([face.eyes for face in report.faces])
    photos = [face.photo for face in report.faces]
    errors = face_errors(point_errors(predicted, truth, eyes))
    figures = measures(predicted, truth, eyes, scheme, photos) | _failures(errors)
    folders = np.array([face.folder for face in report.faces])
    figures["by"] = {
        folder: _folder_figures(
            errors[folders == folder],
            [p for p, f in zip(photos, folders, strict=True) if f == folder],
        )
        for folder in report.folders
    }
    order = [row for row in np.argsort(-errors) if np.isfinite(errors[row])]
    figures["worst"] = [
        {
            "face": report.faces[row].name,
            "error": rounded(errors[row]),
            "truth": rounded_points(truth[row]),
            "keypoints": rounded_points(predicted[row]),
        }
        for row in order[:WORST]
    ]
    return Result(name, markup, scheme, raw, _count(truth), errors, figures)


def _failures(errors: np.ndarray) -> dict[str, float | None]:
    """Failure rate and area under the curve at `FAILURE`, in percent, as `metrics.summary`."""
    errors = errors[~np.isnan(errors)]
    if not len(errors):
        return {"fr10": None, "auc10": None}
    return {
        "fr10": rounded(100 * (errors > FAILURE).mean()),
        "auc10": rounded(100 * np.clip(1 - errors / FAILURE, 0, 1).mean()),
    }


def _folder_figures(errors: np.ndarray, photos: Sequence[str]) -> dict:
    """The figures of the faces of one sub-folder."""
    labelled = errors[~np.isnan(errors)]
    lost = rounded(100 * np.isinf(labelled).mean()) if len(labelled) else None
    return {
        "faces": len(labelled),
        "nme": finite_mean(errors),
        "nme_interval": bounds(errors, photos),
        "lost": lost,
    } | _failures(errors)


def _compare_with_reference(report: Report) -> None:
    """Add to each result its paired difference to the reference, on the faces that both found."""
    reference = next((each for each in report.results if each.name == report.reference), None)
    for result in report.results:
        if reference is not None and result is not reference:
            result.figures["difference"] = _difference(result, reference, report)


def _difference(result: Result, reference: Result, report: Report) -> dict | None:
    """The mean of error minus the reference's error, in the markup of fewer points of the two."""
    scheme = min(result.scheme, reference.scheme, key=lambda name: len(markups.get(name)))
    eyes = np.array([face.eyes for face in report.faces])
    points, truth = zip(
        *(_in_scheme(each.predicted, each.markup, report, scheme) for each in (result, reference)),
        strict=True,
    )
    shared = np.where(np.isnan(truth[0]) | np.isnan(truth[1]), np.nan, truth[0])
    errors, others = (face_errors(point_errors(each, shared, eyes)) for each in points)
    both = np.isfinite(errors) & np.isfinite(others)
    if not both.any():
        return None
    gaps = np.where(both, errors, 0) - np.where(both, others, 0)
    gaps[~both] = np.nan
    return {
        "faces": int(both.sum()),
        "points": _count(shared),
        "mean": rounded(float(gaps[both].mean())),
        "interval": bounds(gaps, [face.photo for face in report.faces]),
        "better": rounded(100 * (gaps[both] < 0).mean()),
    }


def to_dict(report: Report) -> dict:
    """The report as plain data, for JSON; figures are in percent of the eye distance."""
    return {
        "faces": len(report.faces),
        "photos": report.photos,
        "unlabelled": report.labels.unlabelled,
        "markup": report.labels.markup,
        "labels_began_as": report.labels.origin or None,
        "reference": report.reference,
        "models": {
            result.name: {
                "markup": result.markup,
                "compared_as": result.scheme,
                "points": result.points,
            }
            | result.figures
            for result in report.results
        },
        "names": [face.name for face in report.faces],
        "not_found": report.not_found,
        "bad": report.bad,
        "unavailable": report.unavailable,
    }
