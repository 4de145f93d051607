"""A frame of the camera as the compared photo: it is in memory only, and has no file."""

from base64 import b64decode

from kpdemo.media import images

NAME = "camera frame"  # in place of an upload's path


def load(picture: str) -> images.Photo:
    """The photo in a JPEG as data URI; raises ImageError."""
    return images.load(b64decode(picture.partition(",")[2]))
