"""The page without a server, as a static Space of the Hugging Face Hub or for any static host."""

import shutil
from pathlib import Path

import yaml

from train.publish import space

_SDK, _MARK = "static", "scripts/site/main.js"
_LICENCE = "LICENSE"  # which an installed package has elsewhere
_FRONT = {
    "title": "kpdemo",
    "emoji": "🙂",
    "colorFrom": "blue",
    "colorTo": "green",
    "sdk": _SDK,
    "app_file": "index.html",
    "fullWidth": True,
    "license": "other",  # of the weights
    "license_name": "research-only",
    "short_description": "Facial keypoints in your own browser",
    "tags": ["computer-vision", "keypoint-detection", "face"],
}
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
    head = yaml.safe_dump(_FRONT, allow_unicode=True, sort_keys=False)
    (folder / space.README).write_text(f"---\n{head}---\n{_TEXT}", encoding="utf-8")
    if (space.ROOT / _LICENCE).exists():
        shutil.copy(space.ROOT / _LICENCE, folder)
    return size


def push(folder: Path, repo: str, private: bool = False) -> tuple[str, bool]:
    """Make a folder that `write` wrote a static Space; otherwise as `space.push`."""
    with space.hub_client(repo) as (api, _):
        before = space.prepare(api, repo, private, _SDK, _MARK)
        return space.upload(api, repo, folder, before, "the page and its models")
