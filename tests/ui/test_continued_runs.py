"""A run that starts from another one is drawn with it, where both can be compared."""

import numpy as np

from kpdemo.records.histories import Histories
from kpdemo.ui.training import continued_runs, curves


def test_unet_begins_with_the_run_that_it_starts_from():
    library = Histories().read()
    first, own = library.runs["trials/unet-start"], library.runs["unet"]
    run = continued_runs.join(own, library)
    count = len(first.curves["epoch"])
    assert run.curves["epoch"].tolist() == list(range(1, count + len(own.curves["epoch"]) + 1))
    assert (np.diff(run.curves["minutes"]) > 0).all()
    np.testing.assert_array_equal(
        run.curves["validation_nme"][:count], first.curves["validation_nme"]
    )
    assert run.best == (own.best[0] + count, own.best[1])
    assert run.planned == count + own.planned
    caption = curves.learning_caption([run], "nme", 0, continued_runs.note([own], library))
    assert f"U-Net begins with the {count} epochs of unet-start." in caption
    assert f"from {first.curves['validation_nme'][0]:.1f} %" in caption


def test_runs_that_were_validated_on_other_faces_stay_apart():
    library = Histories().read()
    run = library.runs["resnet18-transfer"]
    assert f"trials/{run.recipe['start_from'].split('/')[-1]}" in library.trials
    assert continued_runs.join(run, library) is run
    assert continued_runs.note([run], library) == ""
