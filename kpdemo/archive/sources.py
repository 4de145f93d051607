"""Where an archive's photos come from. Ray Data reads them; here it is only told what is where.

Every source becomes a dataset with the photos' names as `PATH`, and either the bytes of their files
as `IMAGE`, null where they could not be fetched, or where those are as `ADDRESS`.
"""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet
import ray.data
from pyarrow.fs import FileSystem
from ray.data.checkpoint import NumpyArrayBasedCheckpointFilter
from ray.data.expressions import download

from kpdemo.archive.places import Place, PlaceError
from kpdemo.engine.photos import is_photo
from kpdemo.media import images

PATH, IMAGE, ADDRESS = "path", "image", "address"
_ROW = "row_hash"
_TAR, _PARQUET = _SHARDS = (".tar", ".parquet")
_PHOTO = "photo"
# How data sets call columns of addresses.
_ADDRESSES = ("url", "URL", "image_url", "uri", "image_uri", "path", "file_name")


@dataclass(frozen=True)
class Source:
    """`photos` have the column `PATH`, and `IMAGE` or, as paths in `filesystem`, `ADDRESS`.

    The values of `id` are unique. `filter` leaves out what is done, by default Ray's own.
    """

    photos: ray.data.Dataset
    filesystem: FileSystem | None = None
    id: str = PATH
    filter: type[NumpyArrayBasedCheckpointFilter] | None = None


class _TarFilter(NumpyArrayBasedCheckpointFilter):
    """Ray's filter takes Arrow tables alone, and Ray reads tars as data frames."""

    def filter_rows_for_block(self, block: Any) -> pa.Table:
        """The rows that are still to be done."""
        if not isinstance(block, pa.Table):
            block = pa.Table.from_pandas(block, preserve_index=False)
        return super().filter_rows_for_block(block)


def read(place: Place, out: Place, column: str | None) -> Source:
    """The photos of a folder, of webdataset tars or of Parquet files, whichever are most there.

    `column` is that of Parquet files which has pictures or addresses; by default the one that looks
    like it. The list of a folder's photos is written into `out`. Raises PlaceError.
    """
    files = place.files(_SHARDS)
    kinds = Counter(kind for name in files if (kind := _kind(name)))
    if not kinds:
        raise PlaceError(
            f"{place}: There is no photo in it; it takes {images.KINDS} files, tars of the "
            "webdataset layout, and Parquet files."
        )
    kind = kinds.most_common(1)[0][0]
    if kind == _PHOTO:
        return _photos(place, files, out)
    shards = [path for name, path in files.items() if _kind(name) == kind]
    return _tars(place, shards) if kind == _TAR else _parquet(place, shards, column)


def _kind(name: str) -> str | None:
    suffix = PurePosixPath(name).suffix.lower()
    return _PHOTO if is_photo(name) else suffix if suffix in _SHARDS else None


def _photos(place: Place, files: dict[str, str | None], out: Place) -> Source:
    # A list, of which a resumed run reads only what is to be done: Ray's own reader of files would
    # read all of them, and stop at one that it cannot read.
    photos = {name: path for name, path in files.items() if _kind(name) not in _SHARDS}
    table = pa.table({PATH: list(photos), ADDRESS: pa.array(photos.values(), pa.string())})
    listing = out / "source.parquet"
    pyarrow.parquet.write_table(table, listing.path, filesystem=listing.filesystem)
    rows = ray.data.read_parquet(listing.path, filesystem=listing.filesystem)
    return Source(rows, place.filesystem)


def _tars(place: Place, paths: list) -> Source:
    rows = ray.data.read_webdataset(paths, filesystem=place.filesystem, decoder=_sample)
    return Source(rows, filter=_TarFilter)


def _sample(files: dict[str, Any]) -> dict[str, Any]:
    """The photo among the files of one name in a tar."""
    name = f"{files['__url__']}/{files['__key__']}"
    suffix = next((suffix for suffix in files if is_photo(f"photo.{suffix}")), None)
    if suffix is None:
        return {PATH: name, IMAGE: None}
    return {PATH: f"{name}.{suffix}", IMAGE: files[suffix]}


def _parquet(place: Place, paths: list, column: str | None) -> Source:
    schema = pyarrow.parquet.read_schema(paths[0], filesystem=place.filesystem)
    column = column or _column(schema)
    if column not in schema.names:
        raise PlaceError(
            f"{place}: Say with --column which one has pictures or addresses: "
            f"{', '.join(schema.names)}."
        )
    read = partial(ray.data.read_parquet, paths, filesystem=place.filesystem)
    if pa.types.is_string(schema.field(column).type):
        rows = read().select_columns([column]).rename_columns({column: PATH})
        first = rows.take(1)[0][PATH]
        if first.startswith(("http:", "https:")):
            return Source(rows.with_column(IMAGE, download(PATH)))
        rows = rows.map_batches(_addresses, batch_format="pyarrow")
        return Source(rows, Place.of(first).filesystem)
    rows = read(include_paths=True, include_row_hash=True).select_columns([PATH, _ROW, column])
    return Source(rows.map_batches(partial(_cells, column), batch_format="pyarrow"), id=_ROW)


def _addresses(rows: pa.Table) -> pa.Table:
    """The paths of addresses in their store."""
    paths = pa.compute.replace_substring_regex(rows[PATH], r"^\w+://", "")
    return rows.append_column(ADDRESS, paths)


def _column(schema: pa.Schema) -> str:
    pictures = [field.name for field in schema if _has_bytes(field.type)]
    addresses = [name for name in _ADDRESSES if name in schema.names]
    return next(iter(pictures + addresses), "")


def _has_bytes(kind: pa.DataType) -> bool:
    # Pictures of Hugging Face's data sets are structs of bytes and path.
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" for field in kind)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _cells(column: str, rows: pa.Table) -> pa.Table:
    """Rows of pictures; what has no name of its own is called after its file."""
    cells, names = rows[column], rows[PATH]
    if pa.types.is_struct(cells.type):
        if any(field.name == "path" for field in cells.type):
            names = pa.compute.coalesce(pa.compute.struct_field(cells, "path"), names)
        cells = pa.compute.struct_field(cells, "bytes")
    return pa.table({PATH: names, _ROW: rows[_ROW], IMAGE: cells})
