"""Tiny data sets in the official layouts, for tests that read, train or evaluate without data.

Every writer fills the folder of its set under `root` (what KPDEMO_DATA names) and returns the
keypoints that it drew, by face name: `(K, 2)` float32 in photo coordinates, 0-based, NaN where
Kaggle's label is left out. Faces are a mean shape, turned, scaled and jittered; pictures are that
shape keypoints on a plain ground, so that a net can learn something from a handful.
"""

import csv
from pathlib import Path

import cv2
import numpy as np

from kpdemo.keypoints import markups

Keypoints = dict[str, np.ndarray]

PARTS_300W = ("afw", "helen/trainset", "helen/testset", "lfpw/trainset", "lfpw/testset")
SIDE = 160
_PARTIAL = (36, 39, 42, 45, 31, 33, 35, 51, 48, 54, 57)
_KAGGLE_MISSING = ((), (2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13), (6, 7, 8, 9))

# Symmetric mean shapes of real labels, longer side 1, in the order of the markup: x y x y …
_SHAPES = {
    "ibug-68": """
        -.500 -.319 -.497 -.187 -.483 -.055 -.457 .076 -.407 .199 -.330 .306 -.235 .399
        -.126 .475 .000 .495 .126 .475 .235 .399 .330 .306 .407 .199 .457 .076 .483 -.055
        .497 -.187 .500 -.319 -.399 -.432 -.335 -.479 -.252 -.489 -.168 -.474 -.087 -.441
        .087 -.441 .168 -.474 .252 -.489 .335 -.479 .399 -.432 .000 -.335 .000 -.246
        .000 -.157 .000 -.066 -.095 -.015 -.050 .004 .000 .022 .050 .004 .095 -.015
        -.301 -.327 -.251 -.360 -.186 -.359 -.136 -.317 -.194 -.301 -.255 -.302
        .136 -.317 .186 -.359 .251 -.360 .301 -.327 .255 -.302 .194 -.301
        -.190 .156 -.122 .125 -.051 .111 .000 .123 .051 .111 .122 .125 .190 .156 .125 .224
        .055 .253 .000 .258 -.055 .253 -.125 .224 -.161 .161 -.052 .157 .000 .162 .052 .157
        .161 .161 .052 .185 .000 .191 -.052 .185""",
    "bioid-20": """
        -.254 -.387 .254 -.387 -.200 .147 .200 .147 -.433 -.484 -.126 -.499 .126 -.499
        .433 -.484 -.469 -.365 -.343 -.374 -.168 -.377 .168 -.377 .343 -.374 .469 -.365
        .000 -.126 -.081 -.080 .081 -.080 .000 .075 .000 .257 .000 .500""",
    "imm-58": """
        -.463 -.022 -.442 .098 -.399 .215 -.325 .320 -.236 .409 -.130 .477 .000 .500
        .130 .477 .236 .409 .325 .320 .399 .215 .442 .098 .463 -.022 .324 -.337 .281 -.370
        .224 -.385 .167 -.369 .117 -.333 .170 -.319 .226 -.312 .278 -.317 -.324 -.337
        -.281 -.370 -.224 -.385 -.167 -.369 -.117 -.333 -.170 -.319 -.226 -.312 -.278 -.317
        .098 -.439 .171 -.489 .291 -.499 .358 -.472 .402 -.404 -.098 -.439 -.171 -.489
        -.291 -.499 -.358 -.472 -.402 -.404 -.208 .113 -.052 .072 .000 .088 .052 .072
        .208 .113 .080 .198 .000 .209 -.080 .198 -.060 -.325 -.078 -.178 -.129 -.130
        -.132 -.056 -.072 -.036 .000 -.016 .072 -.036 .132 -.056 .129 -.130 .078 -.178
        .060 -.325""",
}


def write_300w(root: Path, count: int = 2) -> Keypoints:
    """`count` faces in each of the five parts; in AFW two faces share a photo, as they do there."""
    keypoints = {}
    for part in PARTS_300W:
        for k in range(count):
            if part == "afw":
                stem, suffix = f"{1000 + k // 2}_{k % 2 + 1}", "jpg"
            elif part.startswith("helen"):
                stem, suffix = f"{2000 + k}_1", "jpg"
            else:
                stem, suffix = f"image_{k + 1:04d}", "png"
            label = root / "300w" / part / f"{stem}.pts"
            points = face("ibug-68", SIDE, SIDE, name=f"{part}/{stem}")
            write_picture(label.with_suffix(f".{suffix}"), "ibug-68", points, SIDE, SIDE)
            write_pts(label, points + 1)
            keypoints[f"{part}/{stem}"] = points
    return keypoints


def write_300w_partial(root: Path, count: int = 2) -> Keypoints:
    """`count` faces of which eleven points are labelled and the others `nan nan`."""
    keypoints = {}
    for k in range(count):
        label = root / "300w-partial" / f"{k:04d}.pts"
        points = face("ibug-68", SIDE, SIDE, name=f"partial {k}")
        write_picture(label.with_suffix(".jpg"), "ibug-68", points, SIDE, SIDE)
        points[np.setdiff1d(np.arange(68), _PARTIAL)] = np.nan
        write_pts(label, points + 1)
        keypoints[f"300w-partial/{label.stem}"] = points
    return keypoints


def write_imm(root: Path, count: int = 3) -> Keypoints:
    """One pose of `count` persons on the training side and of `count` to validate on."""
    keypoints = {}
    for person in (*range(1, count + 1), *range(33, 33 + count)):
        label = root / "imm" / f"{person:02d}-1m.asf"
        points = face("imm-58", 160, 120, name=label.stem)
        write_picture(label.with_suffix(".jpg"), "imm-58", points, 160, 120)
        write_asf(label, (points + 0.5) / (160, 120), columns=(7, 10)[person % 2])
        keypoints[f"imm/{label.stem}"] = points
    return keypoints


def write_bioid(root: Path, count: int = 8) -> Keypoints:
    """`count` faces, two in each run of fifty pictures; labels in their own folder, as there."""
    keypoints = {}
    for number in range(0, 25 * count, 25):
        stem = f"{number:04d}"
        points = face("bioid-20", SIDE, SIDE, name=f"bioid/{stem}")
        picture = root / "bioid" / f"BioID_{stem}.pgm"
        write_picture(picture, "bioid-20", points, SIDE, SIDE)
        write_pts(root / "bioid" / "points_20" / f"bioid_{stem}.pts", points)
        keypoints[f"bioid/BioID_{stem}"] = points
    return keypoints


def write_ytf(root: Path, count: int = 4) -> Keypoints:
    """`count` frames in the training and in the test part, two a person."""
    keypoints = {}
    for part in ("training", "test"):
        table = root / "ytf" / f"{part}_frames_keypoints.csv"
        table.parent.mkdir(parents=True, exist_ok=True)
        with table.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["", *range(136)])
            for k in range(count):
                stem = f"{part.title()}_Person{chr(65 + k // 2)}_{k % 2}1"
                points = face("ibug-68", SIDE, SIDE, name=stem).round()
                picture = root / "ytf" / part / f"{stem}.jpg"
                write_picture(picture, "ibug-68", points, SIDE, SIDE)
                rows.writerow([picture.name, *(f"{value:.1f}" for value in points.ravel())])
                keypoints[f"ytf/{part}/{stem}"] = points
    return keypoints


def write_kaggle(root: Path, count: int = 8) -> Keypoints:
    """`training.csv`, `test.csv` and `IdLookupTable.csv` of `count` faces each.

    Of every three training rows the first is complete, the second lacks all but the eye centres,
    nose tip and lower lip (the four points of Kaggle's sparse rows), the third its brows.
    """
    where = root / "kaggle"
    where.mkdir(parents=True, exist_ok=True)
    names = markups.get("kaggle-15").names
    columns = [f"{name}_{axis}" for name in names for axis in "xy"]
    keypoints = {}
    with (where / "training.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*columns, "Image"])
        for k in range(count):
            points = _kaggle_face(f"training {k}")
            labels = points.copy()
            labels[list(_KAGGLE_MISSING[k % 3])] = np.nan
            texts = ["" if np.isnan(value) else f"{value:.6f}" for value in labels.ravel()]
            rows.writerow([*texts, _kaggle_image(points)])
            keypoints[f"kaggle/{k}"] = labels
    with (where / "test.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["ImageId", "Image"])
        for k in range(count):
            rows.writerow([k + 1, _kaggle_image(_kaggle_face(f"test {k}"))])
    with (where / "IdLookupTable.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["RowId", "ImageId", "FeatureName", "Location"])
        lookups = [(k + 1, name) for k in range(count) for name in columns[: 30 if k % 2 else 4]]
        rows.writerows((number + 1, *pair, "") for number, pair in enumerate(lookups))
    return keypoints


def face(name_of_markup: str, width: int, height: int, name: str) -> np.ndarray:
    """A plausible face in a picture of that size: `(K, 2)` float32; the same for the same name."""
    rng = np.random.default_rng(list(name.encode()))
    points = np.array(_SHAPES[name_of_markup].split(), np.float32).reshape(-1, 2)
    angle = rng.uniform(-0.2, 0.2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = points @ turn * min(width, height) * rng.uniform(0.5, 0.62)
    points += np.array([width, height]) * rng.uniform(0.46, 0.54, 2)
    # Labels in files have three digits; so have these, to be read back exactly.
    return (points + rng.normal(0, 0.4, points.shape)).round(3).astype(np.float32)


def write_picture(
    path: Path, name_of_markup: str, points: np.ndarray, width: int, height: int
) -> None:
    """Draw the keypoints' contours in grey on a lighter head and write the picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), _drawing(name_of_markup, points, width, height)):
        raise OSError(f"{path} could not be written.")


def write_pts(path: Path, points: np.ndarray) -> None:
    """Write points as they are: add 1 before where the format counts from 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n")


def write_asf(path: Path, fractions: np.ndarray, columns: int) -> None:
    """Write an AAM shape file of fractions of the picture's size, in seven or ten columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    more = "\t0.00\t0.00\t0.00" if columns == 10 else ""
    points = "\n".join(
        f"0 \t4 \t{x:.8f} \t{y:.8f} \t{k} \t{max(k - 1, 0)} \t{k + 1}{more}"
        for k, (x, y) in enumerate(fractions)
    )
    comment = "# format: <path#> <type> <x rel.> <y rel.> <point#> <connects from> <connects to>"
    path.write_text(
        f"{'#' * 70}\n#\n#    AAM Shape File  -  written: Wednesday March 07 - 2001 [11:00]\n#\n"
        f"{'#' * 70}\n\n#\n# number of model points\n#\n{len(fractions)}\n\n{comment}\n#\n"
        f"{points}\n\n#\n# host image\n#\n{path.stem}.jpg\n"
    )


def _drawing(name_of_markup: str, points: np.ndarray, width: int, height: int) -> np.ndarray:
    layout = markups.get(name_of_markup)
    picture = np.full((height, width), 90, np.uint8)
    hull = cv2.convexHull(points.round().astype(np.int32))
    cv2.fillConvexPoly(picture, hull, 190)
    for contour in layout.contours:
        cv2.polylines(picture, [points[list(contour)].round().astype(np.int32)], False, 60)
    return cv2.GaussianBlur(picture, (3, 3), 0)


def _kaggle_face(name: str) -> np.ndarray:
    return markups.convert(face("ibug-68", 96, 96, name), "ibug-68", "kaggle-15").round(3)


def _kaggle_image(points: np.ndarray) -> str:
    return " ".join(map(str, _drawing("kaggle-15", points, 96, 96).ravel()))
