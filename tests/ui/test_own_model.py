"""A model of a visitor's own in the Compare tab: looked up, added, compared, and whose it is."""

import gc
import json

import pytest
from helpers.hub_server import Hub

from kpdemo.engine.engine import Engine
from kpdemo.models import hub, visitor_models
from kpdemo.models.model_folder import CheckpointError
from kpdemo.ui.compare import own_model, tab
from kpdemo.zoo import WEIGHTS_DIR

REPO = "someone/kpdemo-nose"
FILES = {name: (WEIGHTS_DIR / "nosenet-moore" / name).read_bytes() for name in hub.FILES}
CHOICES = [("SimpleNet", "simplenet")]


@pytest.fixture
def engine():
    with Engine([WEIGHTS_DIR / "simplenet"]) as engine:
        yield engine


def fetch(engine: Engine):
    return lambda: visitor_models.download(visitor_models.look_up(REPO), engine.store.device)


def test_a_repository_is_offered_with_its_size(local_hub: Hub) -> None:
    commit = local_hub.add(REPO, FILES)
    update = own_model.look_up(REPO)
    size = sum(map(len, FILES.values())) / 1e6
    assert update.add.value == f"Add {REPO} at {commit[:7]}, {size:.1f} MB" and update.add.visible
    assert not update.message
    update = own_model.look_up("someone/kpdemo-nothing")
    assert "no such repository" in update.message
    assert update.offer is None and not update.add.visible


def test_it_is_ticked_and_compared_beside_the_others(engine, local_hub, hopper_path) -> None:
    local_hub.add(REPO, FILES)
    first = tab.compare(engine, str(hopper_path), ["simplenet"], None, lambda *_, **__: None)
    update = own_model.add_model(engine, fetch(engine), (), CHOICES, ["simplenet"])
    (model,) = update.own
    assert update.models.choices == [*CHOICES, (f"{REPO} (yours)", model.name)]
    assert update.models.value == ["simplenet", model.name]
    chosen = update.models.value
    result = tab.choose(engine, None, chosen, first.result, lambda *_, **__: None)
    panels = json.loads(result.panels)["panels"]
    assert [panel["title"] for panel in panels] == ["SimpleNet", REPO]
    assert len(panels[1]["faces"][0]["points"]) == 1
    assert REPO in result.table
    again = own_model.add_model(engine, fetch(engine), update.own, CHOICES, chosen)
    chosen = again.models.value
    result = tab.choose(engine, None, chosen, result.result, lambda *_, **__: None)
    # Files have these instead of the names.
    titles = [REPO, f"{REPO} (2)"]
    assert json.loads(result.panels)["titles"] == dict(
        zip([model.name for model in again.own], titles, strict=True)
    )


def test_whoever_has_enough_is_told_so(engine, local_hub, monkeypatch) -> None:
    local_hub.add(REPO, FILES)
    own: own_model.Own = ()
    for _ in range(own_model.MOST):
        own = own_model.add_model(engine, fetch(engine), own, CHOICES, []).own
    update = own_model.add_model(engine, fetch(engine), own, CHOICES, [])
    assert f"You have {own_model.MOST} models of your own" in update.message
    monkeypatch.setattr(own_model, "MOST_HERE", own_model.MOST)
    assert "other visitors" in own_model.add_model(engine, fetch(engine), (), [], []).message
    del own, update
    gc.collect()  # the session ended
    assert engine.private == 0
    assert own_model.add_model(engine, fetch(engine), (), [], []).own


def test_what_does_not_fit_is_one_sentence_and_changes_nothing(engine) -> None:
    def damaged():
        raise CheckpointError("mine.onnx is damaged.")

    update = own_model.add_model(engine, damaged, (), CHOICES, ["simplenet"])
    assert "mine.onnx is damaged." in update.message
    assert engine.private == 0
    assert all(part is own_model.Update().own for part in (update.own, update.models))
