"""What Ray's actors do with a block of photos: all of it, or one stage before or on a GPU.

The stages are those of a folder. Between two actors a photo travels as a pickled look
(`stages.Look`): its faces and their crops, without its own pixels.
"""

import pickle
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow.fs import FileSystem

from kpdemo.archive import rows
from kpdemo.archive.places import photo
from kpdemo.archive.sources import ADDRESS, IMAGE
from kpdemo.engine import batch, stages
from kpdemo.engine.batch import BatchResult, Predictors
from kpdemo.engine.engine import engine
from kpdemo.engine.stages import PreparedPhoto
from kpdemo.media import images
from kpdemo.media.images import ImageError
from kpdemo.structures import Comparison

_PREPARED, _ERROR = "prepared", "error"


class Compare:
    """From photos to rows: threads look at some photos while the nets predict on others."""

    def __init__(self, models: Sequence[str], filesystem: FileSystem | None) -> None:
        self._predictors, self._filesystem = _load(models), filesystem

    def __call__(self, photos: pa.Table) -> pa.Table:
        files = _files(photos, self._filesystem)
        results = list(batch.compare_many(engine(), files, self._predictors))
        return rows.table(_names(photos), results)


class FindFaces:
    """From photos to looks, or errors: the stage that runs on processors before a GPU's."""

    def __init__(self, models: Sequence[str], filesystem: FileSystem | None) -> None:
        self._predictors, self._filesystem = _load(models), filesystem

    def __call__(self, photos: pa.Table) -> pa.Table:
        prepared_photos: list[bytes | None] = []
        errors: list[str | None] = []
        for file in _files(photos, self._filesystem):
            try:
                prepared_photos.append(
                    pickle.dumps(batch.prepare(engine(), file, self._predictors))
                )
                errors.append(None)
            except ImageError as error:
                prepared_photos.append(None)
                errors.append(str(error))
        return (
            _names(photos)
            .append_column(_PREPARED, pa.array(prepared_photos, pa.large_binary()))
            .append_column(_ERROR, pa.array(errors, pa.string()))
        )


class Predict:
    """From looks to rows: the models predict on all faces of a block together."""

    def __init__(self, models: Sequence[str]) -> None:
        self._predictors = _load(models)

    def __call__(self, photos: pa.Table) -> pa.Table:
        prepared_photos = [
            prepared and pickle.loads(prepared) for prepared in photos[_PREPARED].to_pylist()
        ]
        for predictor in self._predictors.by_name.values():
            stages.predict(
                predictor, [prepared for prepared in prepared_photos if prepared is not None]
            )
        results = [
            BatchResult(None, error) if prepared is None else BatchResult(self._assemble(prepared))
            for prepared, error in zip(prepared_photos, photos[_ERROR].to_pylist(), strict=True)
        ]
        return rows.table(_names(photos), results)

    def _assemble(self, prepared: PreparedPhoto) -> Comparison:
        return stages.assemble(prepared, self._predictors.names, self._predictors.unavailable)


def _load(models: Sequence[str]) -> Predictors:
    engine().add(models)
    predictors = Predictors(engine(), models)
    # Nothing that is wrong with a photo; the command names them before it starts.
    predictors.unavailable.clear()
    return predictors


def _names(photos: pa.Table) -> pa.Table:
    """The columns that tell photos apart."""
    contents = {IMAGE, ADDRESS, _PREPARED, _ERROR}
    return photos.select([name for name in photos.column_names if name not in contents])


def _files(photos: pa.Table, filesystem: FileSystem | None) -> list[images.Source]:
    """What `images.load` takes, which says so where a file is missing."""
    if IMAGE in photos.column_names:
        return [Path() if image is None else image for image in photos[IMAGE].to_pylist()]
    return [photo(filesystem, path or "") for path in photos[ADDRESS].to_pylist()]
