"""Check, without the Hub, whether the app would start as a Space."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import SpaceHardware

from kpdemo.zoo import BASELINE, DEFAULT_MODELS
from train.publish import space

# Bytes beyond which the Hub does not take a file as text, whatever .gitattributes says.
LARGE = 10_000_000
# https://huggingface.co/docs/hub/spaces-zerogpu
PYTHONS = ("3.10", "3.12")
NEWEST_TORCH = (2, 11, 0)
SECONDS = 180

_COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(_text(item) for item in value)


def _boolean(value: Any) -> bool:
    return isinstance(value, bool)


# The keys of https://huggingface.co/docs/hub/spaces-config-reference for Gradio's Spaces, and
# `license`, as in any card.
KEYS: dict[str, Callable[[Any], bool]] = {
    "title": _text,
    "emoji": lambda value: _text(value) and not value.isascii() and len(value) <= 8,
    "colorFrom": lambda value: value in _COLORS,
    "colorTo": lambda value: value in _COLORS,
    "sdk": lambda value: value == "gradio",
    "sdk_version": lambda value: _text(value) and re.fullmatch(r"\d+\.\d+\.\d+", value) is not None,
    "python_version": lambda value: value in PYTHONS,
    "app_file": lambda value: value in space.FILES,
    "base_path": lambda value: _text(value) and value.startswith("/"),
    "fullWidth": _boolean,
    "header": lambda value: value in ("mini", "default"),
    "short_description": lambda value: _text(value) and len(value) <= 60,
    "models": _texts,
    "datasets": _texts,
    "tags": _texts,
    "thumbnail": _text,
    "pinned": _boolean,
    "disable_embedding": _boolean,
    "startup_duration_timeout": lambda value: _text(value) and value[-1] in "smh",
    "suggested_hardware": lambda value: value in {hardware.value for hardware in SpaceHardware},
    "suggested_storage": lambda value: value in ("small", "medium", "large"),
    "preload_from_hub": _texts,
    "license": lambda value: value == "other",  # the weights', for research
    "license_name": _text,
}
REQUIRED = ("title", "sdk", "sdk_version", "python_version", "app_file", "license", "license_name")


class SpaceError(RuntimeError):
    """Files from which no Space would start; the message has one sentence for each problem."""


def check() -> str:
    """Check exactly the files that a Space would get, and start the app from them.

    Returns the app's report of its start. Raises SpaceError.
    """
    with tempfile.TemporaryDirectory(prefix="kpdemo-space-") as scratch:
        folder = Path(scratch)
        space.copy(folder)
        if sentences := list(problems(folder)):
            raise SpaceError("\n".join(sentences))
        return start(folder)


def problems(folder: Path) -> Iterator[str]:
    """What is wrong with a Space's files, one sentence each, without starting it."""
    front = front_matter(folder)
    for key in REQUIRED:
        if key not in front:
            yield f"{space.README} lacks the key {key}."
    for key, value in front.items():
        if key not in KEYS:
            yield f"{space.README} has the key {key}, which Spaces do not know."
        elif not KEYS[key](value):
            yield f"{space.README} has {key}: {value!r}, which Spaces do not accept."
    yield from _pins(folder, front)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield from _storage(path, path.relative_to(folder))


def front_matter(folder: Path) -> dict[str, Any]:
    """The front matter of a Space's README; empty where it is missing or not valid YAML."""
    match = re.match(
        r"---\n(.*?)\n---\n", (folder / space.README).read_text(encoding="utf-8"), re.DOTALL
    )
    try:
        front = yaml.safe_load(match[1]) if match else {}
    except yaml.YAMLError:
        front = {}
    return front if isinstance(front, dict) else {}


def _pins(folder: Path, front: dict[str, Any]) -> Iterator[str]:
    text = (folder / "requirements.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([\w-]+)(?:\[.*\])?==([\d.]+)$", text, re.MULTILINE))
    if pins.get("gradio") != front.get("sdk_version"):
        yield f"requirements.txt and {space.README} (sdk_version) differ in gradio's version."
    torch = pins.get("torch", "")
    newest = ".".join(map(str, NEWEST_TORCH))
    if not torch or tuple(int(part) for part in torch.split(".")) > NEWEST_TORCH:
        yield f"requirements.txt must pin torch at {newest}, ZeroGPU's newest, or an older version."


def _storage(path: Path, name: Path) -> Iterator[str]:
    with path.open("rb") as file:
        head = file.read(8192)
    if head.startswith(b"version https://git-lfs"):
        yield f"{name} is a pointer of git-lfs, not the file."
    # The Hub distinguishes text from binary files as git does.
    if path.stat().st_size > LARGE and b"\0" not in head:
        yield f"{name} is text of more than {LARGE // 1_000_000} MB, which the Hub does not store."


def start(folder: Path) -> str:
    """Start the app from a Space's files as on a bare machine; returns its report.

    Without network, with an empty home, only a temporary folder to write to, and no environment
    variable of this machine. Raises SpaceError if the app does not start, detects no face, or
    lacks the prediction of a default model or of MediaPipe.
    """
    with tempfile.TemporaryDirectory(prefix="kpdemo-start-") as scratch:
        home, temporary = Path(scratch) / "home", Path(scratch) / "tmp"
        home.mkdir()
        temporary.mkdir()
        variables = {"HOME": str(home), "TMPDIR": str(temporary), "PATH": "/usr/bin:/bin"}
        command = ["bwrap", "--unshare-all", "--die-with-parent", "--uid", "1000", "--gid", "1000"]
        command += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        command += ["--bind", str(temporary), str(temporary)]
        command += ["--chdir", str(folder), "--clearenv"]
        for name, value in variables.items():
            command += ["--setenv", name, value]
        command += [sys.executable, "-B", str(Path(__file__).with_name("space_visit.py"))]
        command += [*DEFAULT_MODELS, BASELINE]
        try:
            process = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        except FileNotFoundError:
            raise SpaceError(
                "The app was not started: bubblewrap (`apt install bubblewrap`) is missing, which "
                "isolates it from network, home and disk."
            ) from None
        except subprocess.TimeoutExpired:
            raise SpaceError(f"The app did not answer within {SECONDS} s.") from None
    if process.returncode:
        # The app's last message, and how it ended.
        messages = [line.strip() for line in process.stderr.splitlines() if line.strip()]
        raise SpaceError(f"The app does not work from its files: {'; '.join(messages[-2:])}")
    return process.stdout.splitlines()[-1]
