"""What Ray's actors do with a block of photos: all of it, or one stage before or on a GPU.

The stages are those of a folder. Between two actors a photo travels as a pickled look
(`stages.Look`): its faces and their crops, without its own pixels.
"""

import pickle
from collections.abc import Sequence

import pyarrow as pa

from kpdemo.archive import rows
from kpdemo.archive.sources import IMAGE
from kpdemo.engine import batch, stages
from kpdemo.engine.batch import BatchResult, Predictors
from kpdemo.engine.engine import engine
from kpdemo.engine.stages import Look
from kpdemo.media.images import ImageError
from kpdemo.structures import Comparison

_LOOK, _ERROR = "look", "error"
_NO_BYTES = "The file could not be read; check that it is there and may be opened."


class Compare:
    """From photos to rows: threads look at some photos while the nets predict on others."""

    def __init__(self, models: Sequence[str]) -> None:
        self._predictors = _load(models)

    def __call__(self, photos: pa.Table) -> pa.Table:
        images = [image.as_py() for image in photos[IMAGE]]
        readable = [image for image in images if image is not None]
        results = batch.compare_many(engine(), readable, self._predictors)
        return rows.table(
            photos.drop_columns([IMAGE]),
            [BatchResult(None, _NO_BYTES) if image is None else next(results) for image in images],
        )


class FindFaces:
    """From photos to looks, or errors: the stage that runs on processors before a GPU's."""

    def __init__(self, models: Sequence[str]) -> None:
        self._predictors = _load(models)

    def __call__(self, photos: pa.Table) -> pa.Table:
        looks: list[bytes | None] = []
        errors: list[str | None] = []
        for image in photos[IMAGE]:
            try:
                looks.append(pickle.dumps(self._look(image.as_py())))
                errors.append(None)
            except ImageError as error:
                looks.append(None)
                errors.append(str(error))
        return (
            photos.drop_columns([IMAGE])
            .append_column(_LOOK, pa.array(looks, pa.large_binary()))
            .append_column(_ERROR, pa.array(errors, pa.string()))
        )

    def _look(self, image: bytes | None) -> Look:
        if image is None:
            raise ImageError(_NO_BYTES)
        return batch.look(engine(), image, self._predictors)


class Predict:
    """From looks to rows: the models predict on all faces of a block together."""

    def __init__(self, models: Sequence[str]) -> None:
        self._predictors = _load(models)

    def __call__(self, photos: pa.Table) -> pa.Table:
        looks = [look and pickle.loads(look) for look in photos[_LOOK].to_pylist()]
        for predictor in self._predictors.by_name.values():
            stages.predict(predictor, [look for look in looks if look is not None])
        results = [
            BatchResult(None, error) if look is None else BatchResult(self._assemble(look))
            for look, error in zip(looks, photos[_ERROR].to_pylist(), strict=True)
        ]
        return rows.table(photos.drop_columns([_LOOK, _ERROR]), results)

    def _assemble(self, look: Look) -> Comparison:
        return stages.assemble(look, self._predictors.names, self._predictors.unavailable)


def _load(models: Sequence[str]) -> Predictors:
    engine().add(models)
    predictors = Predictors(engine(), models)
    # Nothing that is wrong with a photo; the command names them before it starts.
    predictors.unavailable.clear()
    return predictors
