"""Compares photos as the page does on a ZeroGPU Space; prints the results as JSON."""

import json
import os
import sys

import spaces

from kpdemo.engine.engine import engine
from kpdemo.media import images

engine()  # before the page is launched, as `kpdemo.runtime.serve` does
photos = [images.load(path) for path in sys.argv[1:]]
found = [engine().compare(photo).to_dict() for photo in photos]
asked = list(spaces.calls)
engine().compare(photos[0], use_zerogpu=False)
without = len(spaces.calls) - len(asked)


def detect(photo: images.Photo) -> int:
    return len(engine().detector.find(photo.pixels))


try:
    caught = spaces.GPU(duration=lambda photo: 1)(detect)(photos[0])
except RuntimeError as error:
    caught = str(error)

os.environ[spaces.REFUSE] = "1"
refused = engine().compare(photos[0]).to_dict()

print(
    json.dumps(
        {
            "found": found,
            "asked": asked,
            "without": without,
            "caught": caught,
            "refused": refused,
        }
    )
)
