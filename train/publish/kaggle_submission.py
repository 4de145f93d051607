"""A submission for Kaggle's Facial Keypoints Detection from a 15-point model."""

from pathlib import Path

import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.models import checkpoint
from kpdemo.models.predict import predict
from kpdemo.system.files import check_outputs
from train.data.sources import DataError, kaggle, root

BATCH = 64


def submit(folder: Path, destination: Path) -> int:
    """Predict `test.csv` and write the rows that `IdLookupTable.csv` lists; returns how many.

    Raises DataError when Kaggle's files are missing or the model has another markup.
    """
    model = checkpoint.load(folder)
    size = model.config.input
    if model.config.markup != "kaggle-15" or size.channels != 1:
        raise DataError(f"{model.name} does not predict Kaggle's 15 points on grey pictures.")
    pictures = kaggle.test_pictures(root())
    destination.parent.mkdir(parents=True, exist_ok=True)
    check_outputs([destination], [*(root() / "kaggle").glob("*"), *folder.glob("*")])
    whole = Crop.whole(kaggle.SIDE, kaggle.SIDE)
    numbers = list(pictures)
    predictions: dict[int, np.ndarray] = {}
    for start in range(0, len(numbers), BATCH):
        batch = numbers[start : start + BATCH]
        inputs = np.stack([whole.cut(pictures[n], size.height, size.width) for n in batch])
        keypoints = whole.to_photo(predict(model, inputs).keypoints)
        predictions |= dict(zip(batch, keypoints, strict=True))
    return kaggle.write_submission(
        root() / "kaggle" / "IdLookupTable.csv", predictions, destination
    )
