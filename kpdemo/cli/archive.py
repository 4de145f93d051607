"""`python -m kpdemo archive`: a folder, a bucket or a data set in; Parquet files out."""

import argparse
import importlib.util
import os
import sys
from collections.abc import Sequence

from kpdemo.cli import own_models
from kpdemo.engine.engine import engine

DESCRIPTION = """Compare models on millions of photos, on this machine or on a cluster of Ray's.

SOURCE is a folder, or an address that pyarrow knows (s3://BUCKET/FOLDER, gs://…,
hf://datasets/NAME/DATASET), with photos, tars of the webdataset layout, or Parquet files with a
column of pictures or of addresses. Whatever is most there is read.

OUT/photos gets Parquet files with a row a photo: path, width, height, faces (nested: box, score,
roll, confirmed, points of each model as x and y), faces_left_out, and error, a sentence for a photo
that could not be used. On a cluster it is an address, or a folder that all nodes share. The same
command goes on where it was interrupted, and takes what is new in SOURCE."""

EPILOG = """example, on a machine and on a cluster whose nodes have kpdemo[archive] installed:
  python -m kpdemo archive photos/ results/ --models unet,mediapipe
  python -m kpdemo archive s3://bucket/photos s3://bucket/results --address auto \\
      --gpus 8 --workers 8:128 --batch 256
  duckdb -c "select path, error from 'results/photos/*.parquet' where error is not null"

Two cores compute about 3.5 photos a second, a million in 79 hours of such a node: python -m
kpdemo.benchmark archive measures yours. At a billion, make an archive of each part of the source,
with --batch in the thousands, since each batch becomes a file.

Ray reports nothing, but asks the network whether this machine is in a cloud (169.254.169.254,
metadata.google.internal), which it has no setting against."""

_SHOWN = 20  # bad photos


class ArchiveError(ValueError):
    """What is missing or wrong; the message is one sentence."""


def run(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Archive what the arguments name; returns the exit status."""
    _add_options(parser)
    options = parser.parse_args(arguments)
    if importlib.util.find_spec("ray") is None:
        raise ArchiveError("An archive needs Ray: pip install 'kpdemo[archive]'.")
    # Only here, since it needs the extra.
    from kpdemo.archive import archive

    names = [name for word in options.models for name in word.split(",") if name] or None
    own_models.add(names)
    models, unavailable = engine().choose(names)
    for name, why in unavailable.items():
        print(f"{name} is unavailable: {why}", file=sys.stderr)
    if not models or (names and unavailable):
        return 1
    least, most = options.workers
    workers = archive.Workers(least, most, options.gpus, options.address)
    try:
        summary = archive.run(
            options.source, options.out, models, workers, options.batch, options.column
        )
    except KeyboardInterrupt:
        print(f"Stopped; the same command goes on with what {options.out} lacks.", file=sys.stderr)
        return 130
    print(
        f"{options.out}: {summary.photos} photos, {summary.photos / summary.seconds:.1f} a second; "
        f"{summary.before} were there before."
    )
    if summary.bad:
        print(f"{len(summary.bad)} could not be used:", file=sys.stderr)
    for name, why in list(summary.bad.items())[:_SHOWN]:
        print(f"  {name}: {why}", file=sys.stderr)
    if len(summary.bad) > _SHOWN:
        print(f"  and more: the rows with an error in {options.out}.", file=sys.stderr)
    return 1 if summary.bad else 0


def _add_options(parser: argparse.ArgumentParser) -> None:
    cores = os.cpu_count() or 1
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("out", metavar="OUT")
    parser.add_argument(
        "--models",
        nargs="+",
        default=[],
        metavar="NAME",
        help="which models, as NAME,NAME or NAME NAME (default: the four and mediapipe); of the "
        "user's own as in `compare`, where every node finds them",
    )
    parser.add_argument(
        "--workers",
        type=_range,
        default=(1, cores),
        metavar="MIN:MAX",
        help=f"processes, from so many to so many as there is work (default: 1:{cores})",
    )
    parser.add_argument(
        "--gpus",
        type=_count,
        default=0,
        metavar="N",
        help="processes that predict, each on a GPU, beside the workers, which then only find the "
        "faces (default: none)",
    )
    parser.add_argument(
        "--batch",
        type=_count,
        default=64,
        metavar="N",
        help="photos that are computed and written together (default: 64)",
    )
    parser.add_argument(
        "--column",
        metavar="NAME",
        help="of Parquet files: the column of pictures or addresses (default: the likely one)",
    )
    parser.add_argument(
        "--address",
        metavar="ADDRESS",
        help="of a running cluster, `auto` on one of its nodes (default: Ray on this machine, for "
        "this run)",
    )


def _range(word: str) -> tuple[int, int]:
    least, _, most = word.partition(":")
    numbers = _count(least), _count(most or least)
    if numbers[0] > numbers[1]:
        raise argparse.ArgumentTypeError(f"{word} is no MIN:MAX")
    return numbers


def _count(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word} is no number of at least 1")
    return int(word)
