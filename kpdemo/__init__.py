"""kpdemo: where different neural networks put the facial keypoints of a photo.

`kpdemo.compare("photo.jpg")` answers with every model's keypoints on every face.
"""

from kpdemo.compare import Comparison, Engine, compare

__all__ = ["Comparison", "Engine", "compare"]
