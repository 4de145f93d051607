"""kpdemo: where different neural networks put the facial keypoints of a photo.

`kpdemo.compare("photo.jpg")` answers with every model's keypoints on every face;
`kpdemo.load("NAME/kpdemo-unet")` is one model, from the Hugging Face Hub, for your own program.
"""

from kpdemo.checkpoint import Model
from kpdemo.compare import Comparison, Engine, compare
from kpdemo.hub import load

__all__ = ["Comparison", "Engine", "Model", "compare", "load"]
