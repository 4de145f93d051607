"""Write `golden.json`, the keypoints of the shipped weights on Grace Hopper's photo.

Run `python -m tests.helpers.make_golden` after new weights were shipped, and look at the picture
that `python -m kpdemo` draws before you commit it: the test only says whether answers have changed.
"""

import json
from pathlib import Path

import matplotlib

from kpdemo import compare

if __name__ == "__main__":
    photo = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    (face,) = compare(photo).faces
    points = {name: answer.keypoints.round(2).tolist() for name, answer in face.predictions.items()}
    golden = Path(__file__).parents[1] / "engine" / "golden.json"
    golden.write_text(json.dumps(points) + "\n")
