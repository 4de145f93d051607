"""`weights/results.json` and the README's tables: up to date, whatever is missing or damaged."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kpdemo.records import browser_benchmark, leaderboard
from kpdemo.records.standings import BOARDS, BY_APP
from kpdemo.zoo import BASELINE, DEFAULT_MODELS, WEIGHTS_DIR
from train import recipe
from train.publish import report, results

MARKERS = (
    "headline",
    "results",
    "systems",
    "claims",
    "robustness",
    "speed",
    "browser",
    "sweeps",
    "trials",
)
BOX = {
    "faces": 40,
    "nme": 12.3456,
    "fr8": 90.0,
    "auc8": 1.0,
    "lost": 0.0,
    "groups": {"nose": 12.3456},
    "errors": [1.0, 2.0],
    "spread": 0.0512,
    "answers_mean": True,
    "mean_answer_nme": 13.0,
    "best": [{"face": "imm/33-1m", "error": 1.0, "reason": "front view", "truth": [[1.0, 2.0]]}],
    "worst": [{"face": "imm/34-3m", "error": 50.0, "reason": "turned", "keypoints": [None]}],
}


def test_the_readme_and_results_are_up_to_date() -> None:
    collected = results.collect()
    for document in report.DOCUMENTS:
        text = document.read_text()
        assert report.fill_tables(text, collected) == text, "run `python -m train report`"
    shipped = json.loads((WEIGHTS_DIR / results.NAME).read_text())
    assert collected == shipped, "run `python -m train report`"


def test_the_readme_has_a_place_for_every_table() -> None:
    text = "".join(document.read_text() for document in report.DOCUMENTS)
    for marker in MARKERS:
        assert len(re.findall(rf"<!-- {marker} -->\n.*?<!-- end {marker} -->", text, re.S)) == 1
    assert set(report.TABLES) == set(MARKERS)


def test_the_fourteen_systems_are_recipes() -> None:
    assert len(set(results.SYSTEMS)) == 14
    assert set(results.SYSTEMS) <= set(recipe.names())


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """What training, evaluation, sweeps and benchmarks leave, made up; one model of each kind."""
    root = tmp_path / "weights"
    put(root / "unet/history.json", history("unet", start_from="runs/simplenet"))
    put(root / "unet/metrics.json", {"300w-common": {"ground_truth_box": BOX, "compare": BOX}})
    put(root / "unet/config.json", {})
    (root / "unet/model.safetensors").write_bytes(b"")
    told = {"figure": "MAE", "value": 14.02, "unit": "px", "comparable": "No: a|b\nother faces."}
    claim = {
        "claim": "A rate of 1e-5 is too low.",
        "check": "One seed.",
        "verdict": "holds",
        "because": "It is twice as far off.",
        "figures": [
            {"what": "lower", "source": "sweeps/lr/a-lower", "at": "", "unit": "%"},
            {
                "what": "app",
                "source": "resnet18-fajardo/metrics.json",
                "at": "imm-validation.compare.nme",
                "unit": "%",
            },
        ],
    }
    deviation = {"what": "input size", "report": "224", "ours": "64", "why": "time"}
    put(
        root / "resnet18-fajardo/history.json",
        history(
            "resnet18-fajardo",
            reported=told,
            title="A residual net",
            deviations=[deviation],
            claims=[claim],
        ),
    )
    app = BOX | {"nme": 20.0, "lost": 2.5, "fr8": 95.0, "auc8": 0.5}
    box = BOX | {"nme_interval": [11.0, 13.5], "flip_test": True}
    put(
        root / "resnet18-fajardo/metrics.json",
        {"imm-validation": {"ground_truth_box": box, "compare": app, "damaged": []}},
    )
    put(
        root / "mediapipe/metrics.json",
        {"300w-common": {way: {"nme": 5.0, "lost": 0.2, "faces": 9} for way in results.MAPS}},
    )
    speed = {"parameters": 7, "bytes": 11, "multiply_adds": 13, "ms_1": 2.5, "ms_8": 1.25}
    put(
        root / "benchmark.json",
        {
            "photo": "640x480, one face",
            "device": "cpu, 2 threads",
            "precision": "bf16",
            "seconds_to_first_page": 7.45,
            "seconds_with_a_silent_hub": 9.5,
            "peak_memory_mib_after_ten_photos": 1532,
            "folder_photos_per_second": 19.36,
            "folder_to_compare_ratio": 1.56,
            "folder_to_endpoint_ratio": 3.5,
            "forward_milliseconds": {"unet": 2.4, "mediapipe": 10.0},
            "detect_milliseconds": 7.0,
            "compare_milliseconds": 30.0,
            "compare_to_forward_ratio": 2.419,
            "models": {
                "unet": speed | {"times_mediapipe": 0.25},
                "mediapipe": {"bytes": 3, "ms_1": 10.0, "times_mediapipe": 1.0},
            },
        },
    )
    put(
        root / "training_benchmark.json",
        {"recipes": {"unet": {"share": 0.9712}, "resnet18": {"share": 0.9}}},
    )
    put(
        root / "page_benchmark.json",
        {
            "browser": "Chromium 99.0.1",
            "cores": 2,
            "first_paint_seconds": 0.44,
            "examples_there_seconds": 1.26,
            "first_example_compared_seconds": 0.5,
            "next_example_compared_seconds": 0.375,
            "switch_milliseconds": {"1": {"points": 17.4, "boxes": 16}, "24": {"points": 31.2}},
            "camera_frames_per_second": {"unet": 11.8, "resnet18": 9.2},
        },
    )
    gaps = {"unet": {"p95": 0.011, "max": 0.0444}, "mediapipe": {"p95": 0.002, "max": 0.01}}
    put(
        root / "browser_benchmark.json",
        {
            "browser": "Chromium 99.0.1",
            "cores": 2,
            "python_precision": "float32",
            "download_bytes": {
                "runtimes": 25_400_000,
                "mediapipe": 9_000_000,
                "unet": 8_900_000,
                "total": 43_300_000,
                "compressed": 25_000_000,
            },
            "pixels": {
                "photos": 20,
                "faces": 24,
                "missed": 0,
                "same_face": gaps,
                "own_search": gaps,
            },
            "compare_milliseconds": {"browser": 612.3, "python": 204.1},
            "labelled_faces": {
                "faces": 60,
                "nme": {
                    "unet": {"python": 3.3, "browser": 3.3012, "difference": 0.0012},
                    "mediapipe-ridge": {"python": 3.1, "browser": 3.0988, "difference": -0.0012},
                },
            },
            "camera_frames_per_second": {"browser": {"U-Net": 17.2}, "server": {"U-Net": 10.1}},
        },
    )
    put(
        root / "visitors_benchmark.json",
        {
            "cores": 2,
            "clients": 50,
            "refused": 0,
            "wrong": 0,
            "visitors_photos_per_second": 8.04,
            "visitors_to_folder_ratio": 0.75,
            "processor_milliseconds": {"server": 131.4, "clients": 9.6, "folder": 108.0},
            "alone_seconds": 0.164,
            "clients_with_three": 10,
            "p95_to_alone_ratio": 5.62,
            "least_to_alone_ratio": 4.01,
            "peak_memory_mib": 1616,
        },
    )
    put(
        root / "archive_benchmark.json",
        {
            "photos": 2000,
            "damaged": 20,
            "cores": 2,
            "killed_after": [312, 1290],
            **dict.fromkeys(("missing", "twice", "wrong", "unnamed"), 0),
            "furthest": 0.213,
            "archive_photos_per_second": 9.51,
            "archive_photos_per_second_once_started": 12.13,
            "archive_to_folder_ratio_once_started": 0.97,
        },
    )
    cells = {"unet": {"nme": 4.0, "fr8": 1.0, "lost": 0.0}}
    put(
        root / "robustness.json",
        {
            "source": "300w-common",
            "faces": 554,
            "command": "python -m train robustness",
            "conditions": {
                "dark": cells | {"mediapipe-ridge": {"nme": 6.5, "fr8": 9.0, "lost": 3.21}},
                "grey": cells,
            },
        },
    )
    for run, changes, rates in (
        ("a-lower", {"stages.0.lr": 1e-5}, [30.0, 20.0]),
        ("the-recipe", {}, [10.0, 11.0]),
        ("b-higher", {"stages.0.lr": 1.0}, []),
    ):
        told = history("unet", rates)
        told["sweep"] = {"name": "lr", "run": run, "changes": changes, "question": "Which one?"}
        if not rates:
            told["diverged"] = "unet diverged in epoch 1: the loss is nan."
        put(root / "sweeps/lr" / f"{run}.json", told)
    return root


def history(name: str, rates: list[float] | None = None, **settings: Any) -> dict:
    rates = [9.0, 8.0, 8.5] if rates is None else rates
    described = {"name": name, "title": name, "net": "unet", "markup": "ibug-68"}
    described |= {"data": {"train": ["imm"]}, "start_from": None, **settings}
    epochs = [
        {
            "epoch": number,
            "train_loss": 1 / number,
            "validation_loss": 2 / number,
            "validation_nme": rate,
            "seconds": 30.0,
        }
        for number, rate in enumerate(rates, 1)
    ]
    return {
        "recipe": described,
        "parameters": 4_375_484,
        "epochs": epochs,
        "best_epoch": 2,
        "finished": True,
    }


def put(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


def rows(weights: Path) -> dict[str, dict]:
    return {row["name"]: row for row in results.collect(weights)["models"]}


def tables(weights: Path) -> dict[str, str]:
    text = "".join(f"<!-- {name} -->\n<!-- end {name} -->\n" for name in MARKERS)
    filled = report.fill_tables(text, results.collect(weights))
    return {
        name: re.search(rf"<!-- {name} -->\n(.*?)<!-- end {name} -->", filled, re.S)[1]
        for name in MARKERS
    }


def test_a_readme_is_utf_8_whatever_the_computer_writes_by_default(
    weights: Path, tmp_path: Path
) -> None:
    """Windows has an encoding of its own, in which the dashes and signs of our texts are others."""
    document = tmp_path / "README.md"
    text = "# σ – ×\n<!-- trials -->\n<!-- end trials -->\n"
    document.write_text(text, encoding="utf-8")
    code = (
        "from pathlib import Path; from train.publish import report; "
        "report.write([Path({!r})], Path({!r}))"
    )
    subprocess.run(
        [sys.executable, "-c", code.format(str(document), str(weights))],
        cwd=report.README.parent,
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        check=True,
    )
    assert document.read_text(encoding="utf-8").startswith("# σ – ×\n")


def cells(table: str, first: str) -> list[str]:
    """The row of a Markdown table that begins so; every row must be as wide as the head."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    split = [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert {len(row) for row in split} == {len(split[0])}
    (row,) = [row for row in split if row[0] == first]
    return row


def test_a_row_says_what_the_files_say(weights: Path) -> None:
    found = rows(weights)
    assert list(found)[:2] == ["unet", "resnet18-fajardo"]
    unet = found["unet"]
    assert (unet["default"], unet["system"], unet["shipped"]) == (True, False, True)
    assert (unet["epochs"], unet["best_epoch"], unet["minutes"]) == (3, 2, 1.5)
    assert unet["multiply_adds"] == 13
    assert (unet["ms_1"], unet["ms_8"], unet["times_mediapipe"]) == (2.5, 1.25, 0.25)
    assert unet["trained_on"][0] == "IMM"
    assert any("300-W" in title for title in unet["trained_on"]), "simplenet's data, earlier"
    system = found["resnet18-fajardo"]
    assert (system["default"], system["system"], system["shipped"]) == (False, True, False)
    assert system["reported"]["value"] == 14.02
    assert (system["source"], system["faces"]) == ("imm-validation", 40)
    assert (system["nme"], system["nme_compare"], system["lost"]) == (12.3456, 20.0, 2.5)
    assert (system["fr8"], system["auc8"]) == (95.0, 0.5)
    assert (system["spread"], system["answers_mean"]) == (0.0512, True)
    assert system["worst"] == [{"face": "imm/34-3m", "error": 50.0, "reason": "turned"}]
    assert system["rmse_96"] is None
    mediapipe = found[f"{BASELINE}-ridge"]
    assert (mediapipe["nme"], mediapipe["nme_compare"], mediapipe["ms_1"]) == (None, 5.0, 10.0)
    assert mediapipe["faces"] == 9
    assert {tuple(row) for row in found.values()} == {tuple(unet)}


def test_sweeps_have_the_recipe_itself_first_and_say_what_diverged(weights: Path) -> None:
    (sweep,) = results.collect(weights)["sweeps"]
    assert (sweep["name"], sweep["question"], sweep["recipe"]) == ("lr", "Which one?", "unet")
    base, lower, higher = sweep["runs"]
    assert (base["run"], base["changes"]) == ("the-recipe", {})
    assert (base["best_nme"], base["best_epochs"], base["epochs"]) == (10.0, [1, 1], 2)
    assert (base["seeds"], base["deviation"]) == (1, None)
    assert (lower["best_nme"], lower["diverged"]) == (20.0, None)
    assert "diverged" in higher["diverged"]
    assert (higher["best_nme"], higher["epochs"]) == (None, 0)


def test_the_seeds_of_a_setting_are_one_row_with_mean_and_deviation(weights: Path) -> None:
    for run, changes, rates in (
        ("the-recipe", {}, (12.0, 14.0)),
        ("a-lower", {"stages.0.lr": 1e-5}, (21.0, 22.0)),
    ):
        for seed, rate in enumerate(rates, 1):
            told = history("unet", [rate], seed=seed)
            told["sweep"] = {"name": "lr", "run": run, "changes": changes, "question": "Which one?"}
            put(weights / "sweeps/lr" / f"{run}-seed{seed}.json", told)
    base, lower, higher = results.collect(weights)["sweeps"][0]["runs"]
    assert (base["seeds"], base["best_nme"], base["deviation"]) == (3, 12.0, 2.0)
    assert sorted(lower["best_nmes"]) == [20.0, 21.0, 22.0]
    assert (lower["against_first"], higher["seeds"]) == ("higher", 1)
    table = tables(weights)["sweeps"]
    assert "| 12.00 ± 2.00 % (n = 3) |" in table
    assert "| 21.00 ± 1.00 % (n = 3) | higher | 1 to 2 of 2 |" in table


def test_a_model_is_compared_with_mediapipe_on_the_same_faces(weights: Path) -> None:
    """Paired: every face is 1 point better, whatever its own error."""
    theirs = [2.0, 5.0, 9.0, None, 30.0]
    ours = [1.0, 4.0, 8.0, 3.0, 29.0]
    put(
        weights / "mediapipe/metrics.json",
        {"300w-common": {way: {"nme": 5.0, "errors": theirs} for way in results.MAPS}},
    )
    app = BOX | {"errors": ours, "nme_interval": [4.0, 6.0]}
    put(weights / "unet/metrics.json", {"300w-common": {"ground_truth_box": BOX, "compare": app}})
    unet = rows(weights)["unet"]
    assert unet["less_mediapipe"] == {"mean": -1.0, "interval": [-1.0, -1.0]}
    shown = cells(tables(weights)["results"], "unet")
    assert shown[3:5] == ["12.35 % [4.00, 6.00]", "-1.00 [-1.00, -1.00]"]


def test_models_of_68_points_have_a_row_on_the_15_of_keypoint_resnet(weights: Path) -> None:
    read = {"nme": 2.5, "nme_interval": [2.4, 2.6], "rmse_96": 1.25, "errors": [2.0, 3.0]}
    ways = {"ground_truth_box": read | {"nme": 2.25}, "compare": read}
    put(
        weights / "unet/metrics.json",
        {"300w-common": {"ground_truth_box": BOX, "compare": BOX, "kaggle-15": ways}},
    )
    put(
        weights / "mediapipe/metrics.json",
        {"300w-common": {"ridge": BOX, "kaggle-15": {"ridge": read}}},
    )
    (unet, ridge) = results.collect(weights)["fifteen"]
    assert (unet["name"], unet["markup"], unet["nme"], unet["nme_compare"]) == (
        "unet",
        "kaggle-15",
        2.25,
        2.5,
    )
    assert (ridge["name"], ridge["nme"], ridge["nme_compare"]) == ("mediapipe-ridge", None, 2.5)
    table = tables(weights)["results"]
    assert "| unet | 2.25 % [2.40, 2.60] | 2.50 % [2.40, 2.60] | 1.25 px |" in table
    report.write([], weights)
    board = next(board for board in BOARDS if board.name == "kaggle-15")
    (first, _) = leaderboard.read(weights).on(board)
    assert (first.name, first.figures["nme_compare"]) == ("unet", 2.5)
    assert first.errors[BY_APP].tolist() == [2.0, 3.0]
    assert first.intervals["nme"] == (2.4, 2.6)


def test_a_report_brings_histories_and_cards_up_to_date(tmp_path: Path) -> None:
    folder = tmp_path / "weights/simplenet"
    folder.mkdir(parents=True)
    for name in ("history.json", "metrics.json", "README.md"):
        shutil.copy(WEIGHTS_DIR / "simplenet" / name, folder / name)
    stale = json.loads((folder / "history.json").read_text())
    stale["recipe"] |= {"title": "An old title", "notes": "Old notes."}
    (folder / "history.json").write_text(json.dumps(stale))
    report.write([], tmp_path / "weights")
    told = json.loads((folder / "history.json").read_text())["recipe"]
    assert told["title"] == recipe.load("simplenet").title
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"# {told['title']}" in card and "Old notes" not in card


def test_the_tables_show_what_was_collected(weights: Path) -> None:
    shown = tables(weights)
    assert cells(shown["results"], "unet")[1:4] == ["4.4 M", "12.35 %", "12.35 %"]
    assert "5.00 %" in cells(shown["results"], results.MAPS["ridge"])
    system = cells(shown["systems"], "`resnet18-fajardo`")
    assert system[1:] == [
        "A residual net",
        "ibug-68",
        "MAE 14.02 px",
        "NME 12.35 % [11.00, 13.50] (40 faces)",
        "input size; measured with the flip test",
        "0.05, predicts the mean face",
        "4.4 M",
        "No: a\\|b other faces.",
    ]
    assert "not trained yet" in cells(shown["systems"], "`kaggle-cnn`")
    assert all(f"`{name}`" in shown["systems"] for name in results.SYSTEMS)
    assert cells(shown["robustness"], "photo") == ["photo", "unet", "mediapipe-ridge"]
    assert cells(shown["robustness"], "dark")[1:] == ["4.00 %", "6.50 %, 3.2 % lost"]
    assert cells(shown["robustness"], "grey")[1:] == ["4.00 %", ""]
    assert cells(shown["speed"], "unet, alone")[1:] == ["2.4", "0.25"]
    assert cells(shown["speed"], "mediapipe, alone")[1:] == ["10.0", "1.00"]
    assert "19.4 photos per second, 3.50 times the rate" in shown["speed"]
    assert "after 9.5 s where the Hub does not answer." in shown["speed"]
    assert "unet 97 %, resnet18 90 %" in shown["speed"]
    assert "first paint after\n0.44 s" in shown["speed"]
    assert "17 ms with 1 face; 31 ms with 24 faces" in shown["speed"]
    assert "unet 12, resnet18 9." in shown["speed"]
    row = ["8.9 MB", "0.011, 0.044", "0.011, 0.044", "+0.0012", "17.2", "10.1"]
    assert cells(shown["browser"], "unet")[1:] == row
    assert cells(shown["browser"], "mediapipe")[4] == "-0.0012"
    assert "takes 612 ms in the browser and 204 ms by Python" in shown["browser"]
    about = browser_benchmark.summary(weights)
    assert "at most 0.04 pixels" in about and "3.0 times as long" in about and "0.001 " in about
    assert "8.0 photos per second, 0.75 times the rate of a folder" in shown["speed"]
    assert "wait 5.6 times as long as one alone" in shown["speed"]
    assert "killed after 312 and 1,290 photos" in shown["speed"]
    assert "12.1 photos per second, 0.97 times the rate of a folder" in shown["speed"]
    claim = cells(shown["claims"], "`resnet18-fajardo`")
    assert claim[1:] == [
        "A rate of 1e-5 is too low.",
        "One seed. lower 20.00 % (n = 1); app 20.00 %. It is twice as far off.",
        "**holds**",
    ]
    base = cells(shown["sweeps"], "**lr**: Which one?")
    assert base[1:] == ["the-recipe", "nothing: `unet`", "10.00 % (n = 1)", "", "1 of 2"]
    lower = "| a-lower | `stages.0.lr: 1e-05` | 20.00 % (n = 1) | one seed says nothing | 2 of 2 |"
    assert lower in shown["sweeps"]
    assert "| b-higher | `stages.0.lr: 1.0` | diverged | one seed" in shown["sweeps"]


def test_results_are_strict_json_and_the_same_every_time(weights: Path) -> None:
    bad = history("unet", [float("nan"), 7.0])
    (weights / "sweeps/lr/with-nan.json").write_text(json.dumps(bad))
    first = results.collect(weights)
    text = json.dumps(first, allow_nan=False)
    results.write(first, weights)
    assert json.loads((weights / results.NAME).read_text()) == first
    assert json.dumps(results.collect(weights)) == text
    runs = {run["run"]: run for run in first["sweeps"][0]["runs"]}
    assert runs["with-nan"]["best_nme"] == 7.0


def test_a_damaged_file_is_named_and_the_rest_is_there(weights: Path) -> None:
    broken = (
        "unet/metrics.json",
        "resnet18-fajardo/history.json",
        "sweeps/lr/a-lower.json",
        "benchmark.json",
        "robustness.json",
    )
    for number, name in enumerate(broken):
        (weights / name).write_text('{"half":' if number % 2 else "[]")
    collected = results.collect(weights)
    assert collected["problems"] == sorted(broken)
    found = rows(weights)
    assert (found["unet"]["nme"], found["unet"]["epochs"]) == (None, 3)
    assert (found["resnet18-fajardo"]["epochs"], found["resnet18-fajardo"]["nme"]) == (
        None,
        12.3456,
    )
    assert collected["robustness"] is collected["benchmark"] is None
    assert [run["run"] for run in collected["sweeps"][0]["runs"]] == ["the-recipe", "b-higher"]
    shown = tables(weights)
    assert "5.00 %" in shown["results"]
    assert "`python -m train robustness`" in shown["robustness"]
    assert "`python -m kpdemo.benchmark" in shown["speed"]


@pytest.mark.parametrize(
    "gone",
    ["unet", "mediapipe", "benchmark.json", "*_benchmark.json", "sweeps", "*"],
)
def test_nothing_that_is_missing_stops_the_report(weights: Path, gone: str) -> None:
    for path in weights.glob(gone):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    collected = results.collect(weights)
    assert collected["problems"] == []
    shown = tables(weights)
    assert all(text.strip() for text in shown.values())
    if gone == "*":
        assert [row["name"] for row in collected["models"]] == [
            f"{BASELINE}-{way}" for way in results.MAPS
        ]
        for text in shown.values():
            assert re.fullmatch(r"No data yet: `python -m .*` makes this table\.", text.strip())


def test_earlier_data_that_is_not_known_is_a_problem(weights: Path) -> None:
    put(weights / "unet/history.json", history("unet", start_from="runs/nowhere"))
    collected = results.collect(weights)
    assert "runs/nowhere" in collected["problems"][0]
    assert rows(weights)["unet"]["trained_on"] == ["IMM"]


def test_the_app_shows_no_model_that_the_report_lacks() -> None:
    assert {row["name"] for row in results.collect()["models"]} >= set(DEFAULT_MODELS)
