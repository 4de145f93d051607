import pytest
import torch

from kpdemo.models.config import ConfigError
from train.optim import Schedule, optimizer
from train.recipe import Stage

STEPS = 10  # a epoch


def parameter() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.zeros(3))


def rates(stage: Stage, validation: list[float] | None = None) -> list[float]:
    """The learning rate of every step of a stage."""
    target = optimizer(stage, [parameter()])
    schedule = Schedule(stage, target, STEPS)
    seen = []
    for epoch in range(stage.epochs):
        for _ in range(STEPS):
            seen.append(target.param_groups[0]["lr"])
            target.step()
            schedule.after_step()
        schedule.after_epoch(validation[epoch] if validation else 1.0)
    return seen


def test_constant() -> None:
    assert set(rates(Stage(3, 0.1))) == {0.1}


def test_onecycle_peaks_after_its_warmup() -> None:
    seen = rates(Stage(10, 0.1, schedule="onecycle", warmup=0.2))
    assert max(seen) == pytest.approx(0.1, rel=1e-3)
    assert seen.index(max(seen)) == pytest.approx(20, abs=1)
    assert seen[0] == pytest.approx(0.1 / 25)
    assert seen[-1] < 1e-4


def test_step() -> None:
    seen = rates(Stage(5, 0.1, schedule="step", step=2, gamma=0.5))
    assert seen[::STEPS] == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025])


def test_plateau_waits_for_validation_to_stall() -> None:
    stage = Stage(6, 0.1, schedule="plateau", step=1, gamma=0.1)
    improving = rates(stage, [6, 5, 4, 3, 2, 1])
    stalled = rates(stage, [6, 5, 5, 5, 4, 3])
    assert set(improving) == {0.1}
    assert stalled[::STEPS] == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.01, 0.01])


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_optimizers_take_the_stage_settings(name: str) -> None:
    stage = Stage(1, 0.1, optimizer=name, weight_decay=0.5, momentum=0.9)
    weights = parameter()
    target = optimizer(stage, [weights])
    group = target.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.1, 0.5)
    if name == "sgd":
        assert group["momentum"] == 0.9
    weights.grad = torch.tensor([1.0, -1.0, 0.0])
    target.step()
    assert weights[0] < 0 < weights[1]
    assert weights[2] == 0


@pytest.mark.parametrize("name", ["constant", "onecycle", "step", "plateau"])
@pytest.mark.parametrize("optimizer_name", ["adamw", "sgd"])
def test_a_schedule_goes_on_where_it_was(name: str, optimizer_name: str) -> None:
    stage = Stage(6, 0.1, optimizer_name, 0.01, 0.9, schedule=name, warmup=0.3, step=1)

    def run(target: torch.optim.Optimizer, schedule: Schedule, epochs: int) -> list[float]:
        seen = []
        for _ in range(epochs):
            for _ in range(STEPS):
                target.step()
                schedule.after_step()
                seen.append(target.param_groups[0]["lr"])
            schedule.after_epoch(1.0)
        return seen

    whole = optimizer(stage, [parameter()])
    schedule = Schedule(stage, whole, STEPS)
    expected = run(whole, schedule, 6)
    first = optimizer(stage, [parameter()])
    schedule = Schedule(stage, first, STEPS)
    start = run(first, schedule, 3)
    second = optimizer(stage, [parameter()])
    resumed = Schedule(stage, second, STEPS)
    second.load_state_dict(first.state_dict())
    resumed.load_state_dict(schedule.state_dict())
    assert start + run(second, resumed, 3) == expected


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"'lion'.*adam, adamw, sgd"):
        optimizer(Stage(1, 0.1, optimizer="lion"), [parameter()])
    with pytest.raises(ConfigError, match=r"'linear'.*constant, onecycle"):
        stage = Stage(1, 0.1, schedule="linear")
        Schedule(stage, optimizer(stage, [parameter()]), STEPS)
