"""All photos of a source into Parquet files, on this machine or on a cluster of Ray's."""

import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

# Before Ray is imported: else it tells its makers that it is used.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
# Its processes would warn of how Ray Data uses them.
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")

import ray
from pyarrow.dataset import dataset, field
from pyarrow.fs import FileSelector
from ray.data import ActorPoolStrategy, DataContext, Dataset
from ray.data.checkpoint import CheckpointConfig

from kpdemo.archive import sources
from kpdemo.archive.actors import Compare, FindFaces, Predict
from kpdemo.archive.places import Place, PlaceError
from kpdemo.models import hub

# Logical processors for what is no actor of ours: reading, fetching, writing, and the filter of a
# resumed run, which would otherwise wait for ever.
_OTHERS = 4
# Ray's sockets need a short path, which the user's own folder is not everywhere.
_SCRATCH = "/tmp" if os.name == "posix" else None
# Ray takes the machine's address in place of 127.0.0.1 on Linux, and 127.0.0.1 elsewhere.
_LOOPBACK = "127.0.0.2" if sys.platform == "linux" else None


@dataclass(frozen=True)
class Workers:
    """`least` to `most` processes with all models; with `gpus`, they only find the faces, and that
    many others predict, each on a GPU of its own.

    They are in the cluster at `address`, by default on this machine.
    """

    least: int
    most: int
    gpus: int = 0
    address: str | None = None


@dataclass
class Summary:
    """What a run did: its `photos`, those there `before`, and of all of them the `bad` ones."""

    photos: int
    before: int
    seconds: float
    bad: dict[str, str]


def run(
    source: str,
    out: str,
    models: Sequence[str],
    workers: Workers,
    batch: int,
    column: str | None = None,
) -> Summary:
    """Compare models on all photos of `source` that `out` does not hold yet.

    Both are paths or addresses. `batch` photos are computed and written together; `column` is as in
    `sources.read`. Raises PlaceError.
    """
    started = time.perf_counter()
    photos, results = Place.of(source), Place.of(out)
    _claim(results, photos, models)
    before = count(results)
    with connected(workers):
        _compute(sources.read(photos, results, column), results, models, workers, batch)
    done = count(results) - before
    return Summary(done, before, time.perf_counter() - started, _bad(results))


def count(results: Place) -> int:
    """How many photos are done: those of all checkpoints that Ray has committed."""
    place = FileSelector((results / "checkpoint").path, allow_not_found=True)
    paths = [info.path for info in results.filesystem.get_file_info(place)]
    paths = [path for path in paths if not path.endswith(".pending.parquet")]
    return dataset(paths, filesystem=results.filesystem).count_rows() if paths else 0


def _compute(
    source: sources.Source, results: Place, models: Sequence[str], workers: Workers, batch: int
) -> None:
    photos = source.photos
    photos.context.checkpoint_config = CheckpointConfig(
        source.id,
        (results / "checkpoint").path,
        override_filesystem=results.filesystem,
        delete_checkpoint_on_success=False,
        checkpoint_filter_cls=source.filter,
    )
    # A block is what is written, and noted as done, at a time.
    photos = photos.repartition(target_num_rows_per_block=batch)
    pool = ActorPoolStrategy(min_size=workers.least, max_size=workers.most)
    if workers.gpus:
        photos = _map(photos, FindFaces, [models, source.filesystem], batch, pool)
        gpus = ActorPoolStrategy(size=workers.gpus)
        photos = _map(photos, Predict, [models], batch, gpus, num_gpus=1)
    else:
        photos = _map(photos, Compare, [models, source.filesystem], batch, pool)
    photos.write_parquet((results / "photos").path, filesystem=results.filesystem)


def _map(
    photos: Dataset,
    stage: type,
    arguments: list,
    batch: int,
    actors: ActorPoolStrategy,
    num_gpus: int = 0,
) -> Dataset:
    return photos.map_batches(
        stage,
        fn_constructor_args=arguments,
        batch_size=batch,
        batch_format="pyarrow",
        compute=actors,
        num_cpus=1,
        num_gpus=num_gpus,
    )


@contextmanager
def connected(workers: Workers) -> Iterator[None]:
    """A connection to the cluster, or to a Ray that is started for this run.

    The latter asks whether it is in a cloud (169.254.169.254, metadata.google.internal); nobody
    else hears of it.
    """
    variables = {name: os.environ[name] for name in [hub.VARIABLE] if name in os.environ}
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    with TemporaryDirectory(prefix="kpdemo-", dir=_SCRATCH, ignore_cleanup_errors=True) as scratch:
        if workers.address:
            ray.init(workers.address, runtime_env={"env_vars": variables}, **quiet)
        else:
            # Ray listens on all of the machine's addresses, for those with this token; without one
            # it would leave one in the user's home.
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex())
            # One process looks at the sizes of Parquet files, not 32.
            os.environ.setdefault("RAY_DATA_PARQUET_FOOTER_NUM_ACTORS", "1")
            ray.init(
                "local",
                num_cpus=workers.most + workers.gpus + _OTHERS,
                num_gpus=workers.gpus,
                include_dashboard=False,
                _node_ip_address=_LOOPBACK,
                _temp_dir=scratch,
                **quiet,
            )
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = DataContext.get_current()
        context.enable_progress_bars = sys.stderr.isatty()
        context.print_on_execution_start = False
        try:
            yield
        finally:
            ray.shutdown()


def _claim(results: Place, photos: Place, models: Sequence[str]) -> None:
    """Note in the output what it is of; PlaceError if it is of something else."""
    if photos.is_local and results.is_local and f"{results}/".startswith(f"{photos}/"):
        raise PlaceError(f"{results} lies among the photos; name another place.")
    note = results / "archive.json"
    wanted = {"source": photos.path, "models": sorted(models)}
    try:
        results.filesystem.create_dir(results.path, recursive=True)
        (info,) = results.filesystem.get_file_info([note.path])
        if not info.is_file:
            with results.filesystem.open_output_stream(note.path) as file:
                file.write(json.dumps(wanted).encode())
            return
        with results.filesystem.open_input_stream(note.path) as file:
            held = json.loads(file.read())
    except (OSError, ValueError) as error:
        raise PlaceError(f"{results} cannot be written ({error}).") from error
    if held != wanted:
        raise PlaceError(
            f"{results} holds answers of {', '.join(held['models'])} on {held['source']}; name the "
            "same, or another place."
        )


def _bad(results: Place) -> dict[str, str]:
    """The photos that could not be used, and why."""
    photos = dataset((results / "photos").path, filesystem=results.filesystem)
    rows = photos.to_table(["path", "error"], filter=field("error").is_valid())
    return dict(zip(rows["path"].to_pylist(), rows["error"].to_pylist(), strict=True))
