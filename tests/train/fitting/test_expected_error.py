"""The expected error: fitted on errors that were planted, and measured on others."""

import numpy as np
import pytest

from kpdemo.models import checkpoint, model_folder
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import expected_error
from kpdemo.records.reliability import KEY
from kpdemo.zoo import WEIGHTS_DIR
from train.fitting.expected_error import Detections, bins_within, fit, regression, reliability

LEVELS = np.array([0.2, 0.9, 1.6])
SLOPES = np.array([0.3, 0.7])


def planted(faces: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Signals `(F, 3, 2)` and errors `(F, 3)` whose expectation follows `LEVELS` and `SLOPES`."""
    rng = np.random.default_rng(seed)
    signals = rng.normal(-2, 1, (faces, 3, 2))
    return signals, np.exp(LEVELS + signals @ SLOPES) * rng.gamma(2, 0.5, (faces, 3))


def test_planted_levels_and_slopes_come_back() -> None:
    fitted = regression(*planted(4000, 0))
    assert fitted.levels == pytest.approx(LEVELS, abs=0.1)
    assert fitted.slopes == pytest.approx(SLOPES, abs=0.03)


def test_missing_labels_count_nowhere() -> None:
    signals, errors = planted(4000, 0)
    errors[::2, 1] = np.nan
    fitted = regression(signals, errors)
    assert fitted.levels == pytest.approx(LEVELS, abs=0.1)
    measured = reliability(signals, errors, fitted)
    assert np.isfinite(measured["expected"] + measured["measured"]).all()


def test_a_fit_is_reliable_on_other_faces_and_a_wrong_one_is_not() -> None:
    fitted = regression(*planted(4000, 0))
    right = reliability(*planted(4000, 1), fitted)
    assert right["faces"] == 4000
    assert bins_within(right) >= 9
    assert right["expected"] == sorted(right["expected"])
    assert right["rank_correlation"] > 0.5
    signals, errors = planted(4000, 1)
    assert bins_within(reliability(signals, 2 * errors, fitted)) == 0
    shuffled = np.random.default_rng(2).permuted(errors.ravel()).reshape(errors.shape)
    assert abs(reliability(signals, shuffled, fitted)["rank_correlation"]) < 0.1


def test_signals_without_any_say_leave_the_mean_of_each_keypoint() -> None:
    signals, errors = np.zeros((50, 3, 2)), np.tile([1.0, 2.0, 4.0], (50, 1))
    fitted = regression(signals, errors)
    assert expected_error(signals, fitted)[0] == pytest.approx([1, 2, 4], rel=0.01)


def test_a_run_without_validation_faces_is_refused() -> None:
    with pytest.raises(CheckpointError, match="no faces to fit on"):
        fit(WEIGHTS_DIR / "kaggle-cnn", Detections())  # all of its sources lose labels


@pytest.mark.parametrize("name", ["simplenet", "resnet18", "unet", "keypoint-resnet"])
def test_the_shipped_nets_expect_what_was_measured(name: str) -> None:
    """Of ten bins on the test faces, eight are within 15 %."""
    config = checkpoint.load(WEIGHTS_DIR / name).config
    assert config.expected_error is not None
    measured = model_folder.read_metrics(WEIGHTS_DIR / name)["300w-common"][KEY]
    assert bins_within(measured) >= 8
    assert measured["rank_correlation"] > 0.3
