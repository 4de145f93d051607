"""The Leaderboard as a small data set on the Hugging Face Hub, which shows it as tables."""

import tempfile
from pathlib import Path

from huggingface_hub import DatasetCard, DatasetCardData

from kpdemo.records import leaderboard
from kpdemo.records.standings import BOARDS
from kpdemo.records.table import csv_text
from train.publish.space import README, hub_client

NAME = "kpdemo-results"
_TEXT = """
# Results of kpdemo

Facial-keypoint networks and MediaPipe on the same test faces, a table for each kind of keypoints.
NME is the mean distance to the ground truth in percent of the inter-ocular distance: `nme` on crops
around the ground truth, `nme_compare` on faces that the program detected, as are FR@8, AUC@8 and
`lost`, in percent. `_low` and `_high` bound the 95 % interval over the test faces; `ms_1` is the
milliseconds for one face on two processor cores.
"""


def push(namespace: str, private: bool = False) -> tuple[str, str]:
    """Put the figures of `weights/` into `NAMESPACE/kpdemo-results`, which is made if need be.

    Returns the repository and its newest commit. Raises HubError.
    """
    repo = f"{namespace}/{NAME}"
    with hub_client(repo) as (api, _), tempfile.TemporaryDirectory(prefix="kpdemo-") as scratch:
        write(Path(scratch))
        api.create_repo(repo, repo_type="dataset", private=private or None, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo, repo_type="dataset", folder_path=scratch, commit_message="results"
        )
    return repo, commit.oid


def write(folder: Path) -> None:
    """Write a CSV for each board that has rows, and the card that names them."""
    standings = leaderboard.read()
    boards = {board.name: rows for board in BOARDS if (rows := standings.on(board))}
    for name, rows in boards.items():
        (folder / f"{name}.csv").write_text(csv_text(rows), encoding="utf-8")
    data = DatasetCardData(
        license="apache-2.0",
        pretty_name="Results of kpdemo",
        tags=["keypoint-detection", "face"],
        configs=[{"config_name": name, "data_files": f"{name}.csv"} for name in boards],
    )
    DatasetCard(f"---\n{data}\n---\n{_TEXT}").save(folder / README)
