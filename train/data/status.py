"""`python -m train data`: where each data set comes from, and which parts are present."""

from pathlib import Path

from train.data.sources.catalog import CATALOG, DataSet
from train.data.sources.common import DataError
from train.data.sources.download import fetch, is_filled


def report(root: Path) -> str:
    """A paragraph for each data set: content, terms, home page, folder, and what is present.

    Faces are counted by reading them, so a count means that labels and pictures are in order.
    """
    blocks = [f"Data sets under {root} (KPDEMO_DATA names another folder)."]
    for name, data_set in CATALOG.items():
        lines = [
            ("what", data_set.what),
            ("terms", data_set.terms),
            ("home", data_set.home),
            ("folder", str(root / data_set.folder)),
            *_state(name, data_set, root),
        ]
        blocks.append(
            "\n".join([f"{name}: {data_set.title}", *(f"  {key:<8}{text}" for key, text in lines)])
        )
    return "\n\n".join(blocks)


def download(name: str, root: Path) -> str:
    """Download the missing archives of the data set `name`; returns a sentence on the result.

    Folders that are not empty are left alone. DataError if the data set needs an account, if a
    download fails, or if the files cannot be read afterwards.
    """
    if name not in CATALOG:
        raise DataError(f"Unknown data set {name!r}; known are {', '.join(CATALOG)}.")
    data_set = CATALOG[name]
    where = root / data_set.folder
    if not data_set.archives:
        raise DataError(
            f"{data_set.title} needs an account at {data_set.home} and belongs in {where}. "
            f"{data_set.by_hand}"
        )
    counts, problems = _read(data_set, root)
    if not problems:
        return f"{data_set.title} is there already: {counts}."
    missing = [archive for archive in data_set.archives if not is_filled(root / archive.folder)]
    for archive in missing:
        fetch(archive, root)
    counts, problems = _read(data_set, root)
    if problems:
        raise DataError(
            f"{problems[0]} Everything to download is there already, so move {where} away and "
            "download again."
        )
    return f"{data_set.title} is there now: {counts}."


def _state(name: str, data_set: DataSet, root: Path) -> list[tuple[str, str]]:
    if not is_filled(root / data_set.folder):
        return [("there", "nothing"), ("get it", _advice(name, data_set))]
    counts, problems = _read(data_set, root)
    lines = [("there", counts)] if counts else []
    lines += [("wrong", problem) for problem in problems]
    return lines + ([("get it", _advice(name, data_set))] if problems else [])


def _advice(name: str, data_set: DataSet) -> str:
    if not data_set.archives:
        return data_set.by_hand
    addresses = " ".join(archive.addresses[0] for archive in data_set.archives)
    return f"`python -m train data --download {name}`, or by hand: {data_set.by_hand} {addresses}"


def _read(data_set: DataSet, root: Path) -> tuple[str, list[str]]:
    """What is readable, as "12 training faces, 3 test faces", and a sentence for each problem."""
    counts, problems = [], []
    for what, read in data_set.contents.items():
        try:
            counts.append(f"{len(read(root)):,} {what}")
        except DataError as error:
            problems.append(str(error))
    return ", ".join(counts), problems
