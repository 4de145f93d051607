"""kpdemo: where different neural networks put the facial keypoints of a photo.

`kpdemo.compare("photo.jpg")` returns every model's keypoints on every face;
`kpdemo.load("NAME/kpdemo-unet")` is one model, from the Hugging Face Hub, for your own program.
"""

from importlib.metadata import PackageNotFoundError, version

from kpdemo import runtime

runtime.prepare()

from kpdemo.engine.engine import Engine, compare  # noqa: E402
from kpdemo.models.checkpoint import Model, from_pretrained  # noqa: E402
from kpdemo.structures import Comparison  # noqa: E402

load = from_pretrained

try:
    __version__ = version("kpdemo")
except PackageNotFoundError:  # run from a checkout
    __version__ = "0.2.0"

__all__ = ["Comparison", "Engine", "Model", "__version__", "compare", "load"]
