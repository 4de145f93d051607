"""Labelled photos of a folder: `.pts` files beside them, COCO keypoints, or a corrected table.

Labels are in pixels of the upright photo, 0-based with pixel centres on integers, except in `.pts`
files, which count from 1. Unknown points are NaN.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kpdemo.engine.export import printable_name
from kpdemo.engine.photos import Photos, in_folder
from kpdemo.keypoints import annotations, markups, tables
from kpdemo.keypoints.annotations import TruthError
from kpdemo.system import files, json_file
from kpdemo.system.json_file import JsonError

_COLUMNS = ("file", "face", "markup", "index", "x", "y")
_MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, eq=False)
class LabelledPhoto:
    """A photo and its labelled faces, each `(K, 2)` float32; `folder` is its sub-folder."""

    name: str
    path: Path
    folder: str
    faces: tuple[np.ndarray, ...]


@dataclass
class Labels:
    """The labelled photos of a folder, all in one `markup`.

    `files` are the label files. `bad` has a sentence for each photo or label file that cannot be
    used, `unlabelled` counts pictures without labels. `origin` is the model whose predictions were
    corrected to become these labels, if that is known.
    """

    pictures: Photos
    markup: str
    files: list[Path]
    photos: list[LabelledPhoto] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)
    unlabelled: int = 0
    origin: str = ""

    def check_outputs(self, outputs: list[Path]) -> None:
        """Raise OutputError for an output that cannot be written, or is a photo or label file."""
        self.pictures.check_outputs(outputs)
        files.check_outputs(outputs, self.files)


def read(folder: Path, source: Path | None = None) -> Labels:
    """The labelled photos below a folder.

    `source` is a file with labels, COCO keypoints or a CSV of this program; by default the `.pts`
    files beside the pictures count, else the folder's one COCO file. Raises FolderError where there
    is no photo, and TruthError where there are no labels, or none that can be used.
    """
    pictures = in_folder(folder)
    if source is None:
        labels = _pts(folder, pictures) or _coco(_coco_file(folder), pictures)
    elif source.suffix.lower() == ".json":
        labels = _coco(source, pictures)
    elif source.suffix.lower() == ".csv":
        labels = _table(source, pictures)
    else:
        raise TruthError(
            f"{source}: labels are read from COCO keypoints (.json) or a table (.csv) of this "
            "program; .pts files lie beside their pictures."
        )
    labels.bad = pictures.bad | labels.bad
    if not labels.photos:
        why = next(iter(labels.bad.values()), "It labels none of the pictures.")
        raise TruthError(f"{folder}: no label can be used. {why}")
    return labels


def _pts(folder: Path, pictures: Photos) -> Labels | None:
    """The labels in `.pts` files beside pictures; None where there is no such file."""
    by_place = {
        (path.parent, path.stem.casefold()): path
        for path in sorted(folder.rglob("*"))
        # "._NAME" comes from archives made on a Mac.
        if path.suffix.lower() == ".pts" and not path.name.startswith(".")
    }
    if not by_place:
        return None
    labels = Labels(pictures, "ibug-68", list(by_place.values()))
    with_picture = set()
    for name, path in pictures.paths.items():
        label = by_place.get((path.parent, path.stem.casefold()))
        if label is None:
            labels.unlabelled += 1
            continue
        with_picture.add(label)
        where = printable_name(label.relative_to(folder).as_posix())
        try:
            points = annotations.read_pts(_text(label, where), 68, 1, where)
        except TruthError as error:
            labels.bad[name] = str(error)
            continue
        _add(labels, name, path, [points])
    for label in by_place.values():
        if label not in with_picture:
            where = printable_name(label.relative_to(folder).as_posix())
            labels.bad[where] = "There is no picture of this name beside it."
    return labels


def _text(path: Path, where: str) -> str:
    try:
        with files.open_regular(path) as file:
            data = file.read(annotations.MAX_CHARACTERS)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TruthError(f"{where} cannot be read ({reason}).") from error
    return data.decode(json.detect_encoding(data[:4]), errors="replace")


def _add(labels: Labels, name: str, path: Path, faces: list[np.ndarray]) -> None:
    """Add a photo with those of its faces that have any point."""
    faces = [points for points in faces if np.isfinite(points).all(1).any()]
    if faces:
        folder = name.rpartition("/")[0]
        labels.photos.append(LabelledPhoto(name, path, folder, tuple(faces)))
    else:
        labels.bad[name] = "All its points are marked as unknown."


def _coco_file(folder: Path) -> Path:
    """The one COCO file in the folder, or in `annotations/`; TruthError for none or several."""
    candidates = []
    for path in sorted([*folder.glob("*.json"), *folder.glob("annotations/*.json")]):
        try:
            data = json_file.read(path)
        except (JsonError, OSError):
            continue
        if {"images", "annotations", "categories"} <= data.keys():
            candidates.append(path)
    if not candidates:
        raise TruthError(
            f"{folder} has no labels: put a .pts file beside each picture, or name COCO keypoints "
            "(.json) or a corrected table of this program (.csv) with --labels."
        )
    if len(candidates) > 1:
        names = " and ".join(path.name for path in candidates[:2])
        raise TruthError(f"{folder} has several files of labels, {names}; name one with --labels.")
    return candidates[0]


def _coco(path: Path, pictures: Photos) -> Labels:
    try:
        data = json_file.read(path)
        categories = {each["id"]: each["keypoints"] for each in data["categories"]}
        names = {each["id"]: str(each["file_name"]) for each in data["images"]}
        usable = {key: match for key, points in categories.items() if (match := _order(points))}
        if not usable:
            counts = ", ".join(f"{len(points)}" for points in categories.values())
            raise TruthError(
                f"{path}: its categories have {counts} keypoints, and no markup here; known are "
                f"{', '.join(markups.MARKUPS)}."
            )
        schemes = {name for name, _ in usable.values()}
        if len(schemes) > 1:
            raise TruthError(f"{path} mixes {' and '.join(sorted(schemes))}; name one markup.")
        faces: dict[str, list[np.ndarray]] = {}
        for each in data["annotations"]:
            if each["category_id"] not in usable or each.get("iscrowd"):
                continue
            rows = np.array(each["keypoints"], np.float64).reshape(-1, 3)
            _, order = usable[each["category_id"]]
            points = annotations.mask_missing(rows[order])
            faces.setdefault(names[each["image_id"]], []).append(points)
    except TruthError:
        raise
    except FileNotFoundError:
        raise TruthError(f"{path}: There is no file of this name.") from None
    except JsonError as error:
        raise TruthError(f"{path} {error}") from error
    except _MALFORMED as error:
        raise TruthError(f"{path} does not hold COCO keypoints ({error!r:.80}).") from error
    labels = Labels(pictures, schemes.pop(), [path])
    _place(labels, faces, path)
    return labels


def _order(names: Any) -> tuple[str, list[int]] | None:
    """The markup of keypoints of these names, and where its points are among them.

    Names in any order are known; other names stand for a markup of as many points, in its order.
    """
    for scheme in markups.MARKUPS.values():
        if sorted(names) == sorted(scheme.names):
            return scheme.name, [names.index(name) for name in scheme.names]
    same = [scheme.name for scheme in markups.MARKUPS.values() if len(scheme) == len(names)]
    return (same[0], list(range(len(names)))) if same else None


def _table(path: Path, pictures: Photos) -> Labels:
    """The labels in a CSV of this program, one row a point."""
    if not path.is_file():
        raise TruthError(f"{path}: There is no file of this name.")
    sets: dict[tuple[str, str], dict[str, dict[str, np.ndarray]]] = {}
    for row in tables.rows(path, _COLUMNS):
        if not row["index"]:  # a note
            continue
        name = row["markup"].removesuffix("-fitted")
        if name not in markups.MARKUPS:
            raise row.error(f"has the unknown markup {row['markup']!r:.40}")
        count = len(markups.get(name))
        index = row.whole("index", "a point")
        if index >= count:
            raise row.error(f"has point {index}, and {name} has {count}, counted from 0")
        photos = sets.setdefault((row.get("model", ""), row["markup"]), {})
        faces = photos.setdefault(row["file"], {})
        empty = np.full((count, 2), np.nan, np.float32)
        faces.setdefault(row["face"], empty)[index] = row.value("x"), row.value("y")
    if not sets:
        raise TruthError(f"{path} holds no points.")
    if len(sets) > 1:
        listed = ", ".join(f"{model} ({name})" for model, name in list(sets)[:4])
        raise TruthError(
            f"{path} has the points of {listed}; leave only the rows of the one that you corrected."
        )
    (((model, name), photos),) = sets.items()
    labels = Labels(pictures, name.removesuffix("-fitted"), [path], origin=model)
    faces_of = {
        file: [annotations.mask_missing(p) for p in f.values()] for file, f in photos.items()
    }
    _place(labels, faces_of, path)
    return labels


def _place(labels: Labels, faces: Mapping[str, list[np.ndarray]], path: Path) -> None:
    """Add faces by the names that a label file gives their photos."""
    by_end: dict[str, list[str]] = {}
    for name in labels.pictures.paths:
        by_end.setdefault(name.rpartition("/")[2], []).append(name)
    names = set()
    for given, points in faces.items():
        name = given if given in labels.pictures.paths else printable_name(given)
        same = by_end.get(name.rpartition("/")[2], [])
        if name not in labels.pictures.paths and len(same) == 1:
            name = same[0]
        if name not in labels.pictures.paths:
            labels.bad[printable_name(given)] = (
                f"{path.name} labels it, and there is no such picture."
            )
            continue
        names.add(name)
        _add(labels, name, labels.pictures.paths[name], points)
    labels.unlabelled = len(labels.pictures.paths) - len(names)
