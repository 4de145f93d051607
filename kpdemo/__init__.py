"""kpdemo: where different neural networks put the facial keypoints of a photo.

`kpdemo.compare("photo.jpg")` answers with every model's keypoints on every face;
`kpdemo.load("NAME/kpdemo-unet")` is one model, from the Hugging Face Hub, for your own program.
"""

from kpdemo.engine.engine import Engine, compare
from kpdemo.models.model import Model
from kpdemo.models.model import from_pretrained as load
from kpdemo.structures import Comparison

__all__ = ["Comparison", "Engine", "Model", "compare", "load"]
