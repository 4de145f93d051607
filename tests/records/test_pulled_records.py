"""What Training and Leaderboard show of weights that were pulled from the Hub."""

import json
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pytest
from helpers.hub_server import ACCOUNT, Hub

from kpdemo.engine.engine import Engine
from kpdemo.models import hub
from kpdemo.models.model_folder import METRICS
from kpdemo.records import leaderboard
from kpdemo.records.histories import Histories
from kpdemo.records.standings import BY_LABEL
from kpdemo.ui.leaderboard import tables
from kpdemo.zoo import WEIGHTS_DIR

NAME, OTHER = "nosenet-moore", "nosenet-fajardo"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """This copy's weights, as far as they are needed here."""
    shutil.copytree(WEIGHTS_DIR / NAME, tmp_path / NAME)
    shutil.copy(WEIGHTS_DIR / leaderboard.RESULTS, tmp_path)
    return tmp_path


@pytest.fixture
def pulling(local_hub: Hub, weights: Path) -> Callable[[str, Collection[str]], Engine]:
    """An engine for which the Hub has these files of a model under the name of ours."""

    def start(model: str, files: Collection[str]) -> Engine:
        contents = {name: (WEIGHTS_DIR / model / name).read_bytes() for name in files}
        local_hub.add(f"{ACCOUNT}/kpdemo-{NAME}", contents)
        return Engine([weights / NAME], ACCOUNT)

    return start


def measured(model: str) -> tuple[int, float]:
    """The faces and the error of a model in its own metrics."""
    metrics = json.loads((WEIGHTS_DIR / model / METRICS).read_text())
    (source,) = metrics.values()
    return source[BY_LABEL]["faces"], source[BY_LABEL]["nme"]


def test_pulled_weights_come_with_their_records(pulling, weights) -> None:
    with pulling(OTHER, [*hub.FILES, *hub.RECORDS]) as engine:
        histories = Histories(weights, engine.store.external)
        library = histories.read()
        assert histories.read() is library
        standings = leaderboard.read(weights, engine.store.other_weights())
    ours = Histories().read()
    np.testing.assert_equal(library.models[NAME].curves, ours.models[OTHER].curves)
    assert library.errors[NAME].nme == ours.errors[OTHER].nme
    (row,) = (row for row in standings.rows if row.name == NAME)
    assert (row.faces, row.figures["nme"]) == measured(OTHER) != measured(NAME)
    assert row.errors[BY_LABEL].size == row.faces
    assert "weights from the Hub" in tables.html([row])


def test_records_of_other_weights_are_not_shown(pulling, weights) -> None:
    with pulling(OTHER, hub.FILES) as engine:
        library = Histories(weights, engine.store.external).read()
        standings = leaderboard.read(weights, engine.store.other_weights())
    assert not library.models and not library.errors and not library.problems
    assert NAME not in {row.name for row in standings.rows}
    assert f"{NAME}/{METRICS} is missing" in standings.problems


def test_pulled_weights_that_are_ours_keep_our_records(pulling, weights) -> None:
    with pulling(NAME, hub.FILES) as engine:
        assert not engine.store.other_weights()
        assert "Hub" in engine.store.origins[NAME]
        assert list(Histories(weights, engine.store.external).read().models) == [NAME]
