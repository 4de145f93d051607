"""What `python -m kpdemo.benchmark browser` measured, in words."""

from pathlib import Path

from kpdemo.records.json_files import JsonFiles
from kpdemo.zoo import WEIGHTS_DIR

NAME = "browser_benchmark.json"


def summary(weights: Path = WEIGHTS_DIR) -> str:
    """Sentences on how near the engine in the browser is to Python's; empty without the file."""
    measured = JsonFiles(weights).read(NAME)
    if not measured:
        return ""
    pixels, times = measured["pixels"], measured["compare_milliseconds"]
    same, own = (
        max(model["max"] for model in pixels[way].values()) for way in ("same_face", "own_search")
    )
    text = (
        f"On {pixels['photos']} photos of 640 × 480 pixels its points were at most {same:.2f} "
        f"pixels from those of Python on the same faces, and {own:.2f} where each searched for the "
        "faces by itself. Without a GPU, a comparison took "
        f"{times['browser'] / times['python']:.1f} times as long as on the server."
    )
    if labelled := measured.get("labelled_faces"):
        worst = max(abs(model["difference"]) for model in labelled["nme"].values())
        text += (
            f" On {labelled['faces']} labelled faces no model’s error differed by more than "
            f"{worst:.3f} percentage points."
        )
    return text
