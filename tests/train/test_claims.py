"""Claims of reports: every figure comes from a file."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from kpdemo.zoo import WEIGHTS_DIR
from train import recipe
from train.claims import check_text, resolve, text


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet/metrics.json").write_text(
        json.dumps({"300w-common": {"box": {"nme": 7.695, "faces": 1554, "lost": None}}})
    )
    (tmp_path / "sweeps/lr").mkdir(parents=True)
    for seed, rates in enumerate(([9.0, 8.0], [7.0, 7.5], [6.0])):
        epochs = [{"validation_nme": rate, "train_loss": 0.0247} for rate in rates]
        told = {"sweep": {"run": "low"}, "epochs": epochs}
        (tmp_path / f"sweeps/lr/low-seed{seed}.json").write_text(json.dumps(told))
    diverged = {"sweep": {"run": "high"}, "epochs": [], "diverged": "The loss is nan."}
    (tmp_path / "sweeps/lr/high-seed0.json").write_text(json.dumps(diverged))
    (tmp_path / "sweeps/lr/broken.json").write_text("{")
    return tmp_path


@pytest.mark.parametrize(
    ("source", "at", "words"),
    [
        ("unet/metrics.json", "300w-common.box.nme", "7.70 %"),
        ("unet/metrics.json", "300w-common.box.faces", "1,554 %"),
        ("unet/metrics.json", "300w-common.box.lost", "not measured"),
        ("unet/metrics.json", "300w-common.box", "not measured"),
        ("unet/metrics.json", "imm.box.nme", "not measured"),
        ("resnet18/metrics.json", "300w-common.box.nme", "not measured"),
        ("sweeps/lr/low", "", "7.00 ± 1.00 % (n = 3)"),
        ("sweeps/lr/high", "", "not measured"),
        ("sweeps/lr/low-seed0.json", "epochs.1.validation_nme", "8.00 %"),
        ("sweeps/lr/low-seed0.json", "epochs.1.train_loss", "0.025 %"),
        ("sweeps/batch/8", "", "not measured"),
    ],
)
def test_a_figure_is_what_its_file_says(weights: Path, source: str, at: str, words: str) -> None:
    assert text({"source": source, "at": at}, weights) == words


def test_a_claim_joins_check_figures_and_reason(weights: Path) -> None:
    claim = {
        "claim": "Low is better.",
        "check": "Three seeds.",
        "verdict": "holds",
        "figures": [{"what": "low", "source": "sweeps/lr/low", "at": "", "unit": "%"}],
    }
    resolved = resolve(claim, weights)
    assert resolved["figures"][0]["source"] == "sweeps/lr/low"
    assert check_text(resolved) == "Three seeds. low 7.00 ± 1.00 % (n = 3)."


@pytest.mark.parametrize("name", recipe.names())
def test_every_shipped_claim_is_decided_by_figures_that_are_there(name: str) -> None:
    for claim in recipe.load(name).claims:
        assert "not measured" not in check_text(resolve(asdict(claim)))
        for figure in claim.figures:
            parts = Path(figure.source).parts
            if parts[0] == "sweeps" and not figure.at:
                settings = recipe.read(str(recipe.RECIPES.parent / "sweeps" / f"{parts[1]}.yaml"))
                assert parts[2] in settings[0]["runs"], figure
            else:
                assert (WEIGHTS_DIR / figure.source).exists(), figure
        if claim.verdict in ("holds", "does not hold"):
            assert claim.figures
            for figure in claim.figures:
                words = text({"source": figure.source, "at": figure.at}, WEIGHTS_DIR)
                assert words != "not measured", figure
