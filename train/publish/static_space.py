"""The page without a server, as a static Space of the Hugging Face Hub or for any static host."""

import shutil
from pathlib import Path

from huggingface_hub import SpaceCard, SpaceCardData

from train.publish import space

_SDK, _MARK = "static", "scripts/site/main.js"
# Keys of the app's front matter that hold for this Space too.
_KEYS = ("title", "emoji", "colorFrom", "colorTo", "fullWidth", "license", "tags")
_TEXT = """
# kpdemo

Facial keypoints of four networks beside MediaPipe, computed in the visitor's own browser. The
weights are for research, not for commercial use; the code is Apache-2.0, ONNX Runtime and
CenterFace are MIT, MediaPipe is Apache-2.0.
"""


def write(folder: Path) -> int:
    """Write the page into a folder, with the head of a Space; returns its bytes.

    Raises what `kpdemo.ui.site.build.write` raises.
    """
    from kpdemo.ui.site import build  # imports Gradio, which takes long

    size = build.write(folder)
    front = SpaceCard.load(space.ROOT / space.README).data.to_dict()
    data = SpaceCardData(
        sdk=_SDK,
        app_file="index.html",
        short_description="Facial keypoints in your own browser",
        **{key: front[key] for key in _KEYS},
    )
    card = SpaceCard(f"---\n{data}\n---\n{_TEXT}")
    card.save(folder / space.README)
    shutil.copy(space.ROOT / "LICENSE", folder)
    return size


def push(folder: Path, repo: str, private: bool = False) -> tuple[str, bool]:
    """Make a folder that `write` wrote a static Space; otherwise as `space.push`."""
    with space.pushing(repo) as (api, _):
        before = space.ready(api, repo, private, _SDK, _MARK)
        return space.upload(api, repo, folder, before, "the page and its models")
