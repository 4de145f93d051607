"""`python -m kpdemo FOLDER --csv OUT.csv`: many photos into one file, which can be resumed."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from kpdemo.engine.batch import Predictors, compare_many
from kpdemo.engine.engine import Engine
from kpdemo.engine.photos import Photos, in_folder
from kpdemo.engine.resumable import open_writer
from kpdemo.media import images
from kpdemo.structures import Comparison
from kpdemo.system import files


@dataclass
class Summary:
    """What a run over many photos did.

    `photos`, `faces` and `without` (photos without a face) count this run; `before` are photos that
    the file held already, `changed` those of this run whose files had changed since, `others` those
    in the file that are not among the given ones. `missing` counts faces without points by model,
    `faces_left_out` those beyond the limit. `bad` has a sentence for each photo that could not be
    used, `unavailable` for each model that is left out.
    """

    photos: int = 0
    faces: int = 0
    without: int = 0
    before: int = 0
    changed: int = 0
    others: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    faces_left_out: int = 0
    bad: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def count(self, comparison: Comparison) -> None:
        """Add one photo that was compared."""
        self.photos += 1
        self.faces += len(comparison.faces)
        self.without += not comparison.faces
        self.faces_left_out += comparison.faces_left_out
        for model in (model for face in comparison.faces for model in face.missing):
            self.missing[model] = self.missing.get(model, 0) + 1


def run(
    engine: Engine, folder: Path, out: Path, kind: str, models: Sequence[str] | None
) -> Summary:
    """`compare_into` for all photos of a folder; FolderError if there is none."""
    return compare_into(engine, in_folder(folder), out, kind, models)


def compare_into(
    engine: Engine,
    photos: Photos,
    out: Path,
    kind: str,
    models: Sequence[str] | None,
    bom: bool = False,
) -> Summary:
    """Compare models on all photos that the file `out` does not hold yet, as they are now.

    A photo whose file has changed since is compared again; photos in the file that are not among
    these stay. `kind` is "csv" or "jsonl"; a new CSV begins with a byte-order mark if `bom` says
    so. Shows a progress bar where standard error is a terminal. Raises OutputError, or ValueError
    for an unknown model; what was written until then stays, and the next run resumes it.
    """
    started = time.perf_counter()
    photos.check_outputs([out])
    predictors = Predictors(engine, models)
    summary = Summary(bad=dict(photos.bad), unavailable=dict(predictors.unavailable))
    digests: dict[str, str] = {}

    def with_digests(todo: dict[str, Path]) -> Iterator[Path]:
        for name, path in todo.items():
            # Before the photo is read: if it changes in between, the next run does it again.
            digests[name] = digest(path)
            yield path

    with open_writer(out, kind, predictors.names, photos.paths, bom) as results:
        done = [name for name in photos.paths if name in results.digests]
        changed = [
            name
            for name in tqdm(done, "looking for changed photos", disable=None, leave=False)
            # Files of earlier versions hold no digests.
            if results.digests[name] not in ("", digest(photos.paths[name]))
        ]
        results.drop(changed)
        todo = {n: path for n, path in photos.paths.items() if n not in results.digests}
        summary.changed, summary.before = len(changed), len(photos.paths) - len(todo)
        summary.others = len(results.digests) - summary.before
        photo_results = compare_many(engine, with_digests(todo), predictors)
        bar = tqdm(total=len(photos.paths), initial=summary.before, unit="photo", disable=None)
        with bar:
            for name, result in zip(todo, photo_results, strict=True):
                bar.update()
                comparison = result.comparison
                if comparison is None:
                    summary.bad[name] = result.error
                elif failures := [
                    comparison.unavailable[model]
                    for model in predictors.names
                    if model in comparison.unavailable
                ]:
                    # Not in the file, where it would count as done: the next run tries again.
                    summary.bad[name] = " ".join(failures)
                else:
                    results.add(name, comparison.to_dict(), digests[name])
                    summary.count(comparison)
    summary.seconds = time.perf_counter() - started
    return summary


def digest(path: Path) -> str:
    """The first 16 hex digits of a file's SHA-256; "-" for one that cannot be read."""
    try:
        with files.open_regular(path) as file:
            data = file.read(images.MAX_BYTES + 1)
    except (OSError, ValueError):
        return "-"
    return hashlib.sha256(data).hexdigest()[:16]
