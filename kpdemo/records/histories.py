"""All records of training under `weights/`: runs, sweeps, trials, errors, label counts, claims.

Files appear one after the other while recipes train. Missing files are left out; damaged ones are
left out and named.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpdemo.models.model_folder import HISTORY, METRICS
from kpdemo.records.claims import Claim, parse_claims
from kpdemo.records.keypoint_errors import Errors, parse_errors
from kpdemo.records.label_counts import Labels, parse_labels
from kpdemo.records.run import SWEEPS, TRIALS, Run, parse_run
from kpdemo.records.sweeps import Sweep, group_sweeps
from kpdemo.system import json_file
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR

COMPLETENESS = "completeness.json"
RESULTS = "results.json"

_Stamp = tuple[Path, int, int]  # where a file is, when it was written, and its size


@dataclass(frozen=True, eq=False)
class Library:
    """All records; `problems` names damaged files. `version` grows with every change."""

    version: int
    models: dict[str, Run]
    trials: dict[str, Run]
    sweeps: dict[str, Sweep]
    errors: dict[str, Errors]
    labels: dict[str, Labels]
    claims: dict[str, list[Claim]]
    problems: list[str]

    @property
    def runs(self) -> dict[str, Run]:
        """Models and trials by name, the default models first."""
        first = {name: self.models[name] for name in DEFAULT_MODELS if name in self.models}
        return first | self.models | self.trials


class Histories:
    """A reader of a folder of weights that opens only changed files again.

    The folders that `external` gives now take the place of those of the same names.
    """

    def __init__(
        self, weights: Path = WEIGHTS_DIR, external: Callable[[], Mapping[str, Path]] = dict
    ) -> None:
        self._weights = weights
        self._foreign = external
        # By the file's place in the folder of weights.
        self._parsed: dict[Path, tuple[_Stamp, Any]] = {}
        self._stamps: dict[Path, _Stamp] = {}
        self._library: Library | None = None

    def read(self) -> Library:
        """The records in the folder now; the same object as before where nothing changed."""
        stamps = dict(self._current_stamps())
        if self._library is None or stamps != self._stamps:
            version = self._library.version + 1 if self._library else 1
            self._parsed = {place: self._parse(place, stamp) for place, stamp in stamps.items()}
            self._library = self._collect(version)
            self._stamps = stamps
        return self._library

    def _current_stamps(self) -> Iterable[tuple[Path, _Stamp]]:
        patterns = (f"*/{HISTORY}", f"*/{METRICS}", f"{TRIALS}/*.json", f"{SWEEPS}/*/*.json")
        external = self._foreign()
        places = [
            path.relative_to(self._weights)
            for pattern in (*patterns, COMPLETENESS, RESULTS)
            for path in sorted(self._weights.glob(pattern))
        ]
        places += [Path(name, file) for name in external for file in (HISTORY, METRICS)]
        for place in dict.fromkeys(places):
            folder = external.get(place.parts[0])
            path = folder / place.name if folder else self._weights / place
            try:
                status = path.stat()
            except OSError:  # gone since it was listed, or never pulled
                continue
            yield place, (path, status.st_mtime_ns, status.st_size)

    def _parse(self, place: Path, stamp: _Stamp) -> tuple[_Stamp, Any]:
        """A file's stamp, and its records, None if it is damaged."""
        before = self._parsed.get(place)
        if before and before[0] == stamp:
            return before
        try:
            data = json_file.read(stamp[0])
            if place.name == COMPLETENESS and len(place.parts) == 1:
                return stamp, parse_labels(data)
            if place.name == RESULTS and len(place.parts) == 1:
                return stamp, parse_claims(data)
            if place.name == METRICS:
                return stamp, parse_errors(place.parent.name, data)
            name = place.parent if place.name == HISTORY else place.with_suffix("")
            return stamp, parse_run(name.as_posix(), data)
        # A damaged file may fail anywhere.
        except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
            return stamp, None

    def _collect(self, version: int) -> Library:
        records = {place: record for place, (_, record) in self._parsed.items()}
        runs = [record for record in records.values() if isinstance(record, Run)]
        errors = {
            model: errors
            for place, by_model in records.items()
            if place.name == METRICS and by_model
            for model, errors in by_model.items()
        }
        return Library(
            version=version,
            models={run.name: run for run in runs if "/" not in run.name},
            trials={run.name: run for run in runs if run.name.startswith(f"{TRIALS}/")},
            sweeps=group_sweeps(run for run in runs if run.name.startswith(f"{SWEEPS}/")),
            errors=errors,
            labels=records.get(Path(COMPLETENESS)) or {},
            claims=records.get(Path(RESULTS)) or {},
            problems=[place.as_posix() for place, record in records.items() if record is None],
        )
