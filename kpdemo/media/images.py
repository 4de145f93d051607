"""The single safe reader of uploaded files: bytes in, an upright RGB image out.

Nothing is logged or kept. Whatever is wrong with a file becomes an `ImageError`, one sentence
that says what happened and what to do next.
"""

import os
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from kpdemo.media import bit_depth, image_files
from kpdemo.media.image_error import ImageError, damaged
from kpdemo.media.image_files import FORMATS as FORMATS
from kpdemo.media.image_files import READS_HEIC
from kpdemo.system import files

WORK_SIDE = 2048
MIN_SIDE = 16
MAX_PIXELS = 40_000_000
MAX_BYTES = 50_000_000
TOO_LARGE = (
    f"The file is larger than {MAX_BYTES // 1_000_000} MB; save the picture smaller, or as JPEG, "
    "and upload that."
)

_SIDEWAYS = (5, 6, 7, 8)
KINDS = f"JPEG, PNG, WebP, AVIF, {'HEIC, ' * READS_HEIC}BMP, GIF or TIFF"
_USE = f"upload a {KINDS} picture"
_PASS = (
    "pass a path, the bytes of a picture file, a file that is open in binary mode, a Pillow "
    "picture, or RGB pixels as a NumPy array of uint8 and shape (H, W, 3)"
)


@dataclass(frozen=True, eq=False)
class Photo:
    """An upright picture, as it is or shrunk.

    `pixels` is `(H, W, 3)` uint8 RGB, contiguous; `width` and `height` are those of the upright
    original; `scale` is how many of `pixels` an original pixel is wide, 1.0 if not shrunk.
    """

    pixels: np.ndarray
    width: int
    height: int
    scale: float

    def shrunk(self) -> "Photo":
        """The same photo with at most `WORK_SIDE` squared pixels, for keeping and display."""
        height, width = self.pixels.shape[:2]
        scale = WORK_SIDE / (height * width) ** 0.5
        if scale >= 1:
            return self
        size = max(1, int(width * scale)), max(1, int(height * scale))
        small = cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA)
        return Photo(small, self.width, self.height, self.scale * scale)

    @property
    def grey(self) -> np.ndarray:
        """`pixels` as `(H, W)` uint8 grey, converted once."""
        if "_grey" not in self.__dict__:
            self.__dict__["_grey"] = cv2.cvtColor(self.pixels, cv2.COLOR_RGB2GRAY)
        return self.__dict__["_grey"]

    def without_pixels(self) -> "Photo":
        """The same photo for its coordinates alone: pixels of the same shape, but no memory."""
        return replace(self, pixels=np.broadcast_to(np.uint8(0), self.pixels.shape))

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled: pixels without memory stay so, where NumPy would write them out."""
        state = {field.name: getattr(self, field.name) for field in fields(self)}
        return state if any(self.pixels.strides) else state | {"pixels": self.pixels.shape}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(shape := state["pixels"], tuple):
            state["pixels"] = np.broadcast_to(np.uint8(0), shape)
        self.__dict__.update(state)

    def to_original(self, points: np.ndarray) -> np.ndarray:
        """Points `(..., 2)` on `pixels` -> float32 photo coordinates of the upright original."""
        return ((np.asarray(points) + 0.5) / self._ratio() - 0.5).astype(np.float32)

    def to_work(self, points: np.ndarray) -> np.ndarray:
        """Photo coordinates `(..., 2)` of the upright original -> float32 points on `pixels`."""
        return ((np.asarray(points) + 0.5) * self._ratio() - 0.5).astype(np.float32)

    def _ratio(self) -> np.ndarray:
        # Not `scale`: whole work pixels make the two axes differ by a hair.
        return np.array(self.pixels.shape[1::-1]) / (self.width, self.height)


# Everything that is accepted as a photo.
Source = Photo | str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray


def load(source: Source) -> Photo:
    """A photo from a path, a file's bytes, an open binary file, a Pillow picture or pixels.

    The first frame of an animation, the photo among the pages of a TIFF, upright by its EXIF,
    transparency on white, deep samples in 8 bits (see `bit_depth`). A `Photo` is
    returned as it is. Raises `ImageError` for anything that is not a whole, reasonable
    picture.
    """
    if isinstance(source, Photo):
        return source
    if isinstance(source, np.ndarray):
        return from_array(source)
    if isinstance(source, Image.Image):
        return from_pillow(source)
    data = _read(source)
    if not data:
        raise ImageError("The file is empty (0 bytes); upload it again.")
    try:
        image, data = image_files.open_image(data, _check_size)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"This file is not a picture that can be read; {_USE}.") from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except Exception as error:
        raise damaged() from error
    with image:
        return _photo(image, data)


def from_array(array: np.ndarray) -> Photo:
    """A picture that is already decoded: uint8 `(H, W)` or `(H, W, 1)` grey, `(H, W, 3)` RGB or
    `(H, W, 4)` RGBA.

    Checked and composited as in `load`; raises `ImageError`. The array is copied.
    """
    array = np.asarray(array)
    if array.dtype != np.uint8 or not (array.ndim == 2 or array.shape[2:] in ((1,), (3,), (4,))):
        raise ImageError(
            f"An array of {array.dtype} {array.shape} is not a picture; "
            "pass uint8 of shape (H, W), (H, W, 3) or (H, W, 4)."
        )
    _check_size(array.shape[1], array.shape[0])
    if array.shape[2:] == (1,):
        array = array[..., 0]
    return _photo(Image.fromarray(np.ascontiguousarray(array)))


def from_pillow(picture: Image.Image) -> Photo:
    """A Pillow picture of any mode, the frame that it stands at, upright by its EXIF.

    Checked, composited and shrunk as in `load`; raises `ImageError`. The picture stays as it is.
    """
    _check_size(*picture.size)
    try:
        copy = picture.copy()
    except Exception as error:  # closed, or opened from a file that is damaged
        raise damaged() from error
    copy.getexif()[ExifTags.Base.Orientation] = image_files.orientation(picture)
    return _photo(copy)


def _read(source: str | os.PathLike[str] | bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str | os.PathLike) or callable(getattr(source, "read", None)):
        data = _read_file(source)
    else:
        raise ImageError(f"A value of type {type(source).__name__} is not a photo; {_PASS}.")
    if not isinstance(data, bytes | bytearray):
        raise ImageError("The file gives no bytes; open it in binary mode, as with open(…, 'rb').")
    if len(data) > MAX_BYTES:
        raise ImageError(TOO_LARGE)
    return bytes(data)


def _read_file(source: str | os.PathLike[str] | BinaryIO) -> bytes:
    """At most one byte more than is allowed."""
    try:
        if not isinstance(source, str | os.PathLike):
            return source.read(MAX_BYTES + 1)
        with files.open_regular(source) as file:
            return file.read(MAX_BYTES + 1)
    except files.SpecialFileError as error:
        raise ImageError(str(error)) from error
    except Exception as error:  # a caller's file object may raise anything
        raise ImageError(
            "The file could not be opened; check that it is there, a file and not a folder, and "
            "choose it again."
        ) from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(f" ({width} x {height})")
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"The picture is only {width} x {height} pixels, too small or too narrow to show "
            "a face; upload a larger one."
        )


def _too_many_pixels(size: str = "") -> ImageError:
    return ImageError(
        f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels{size}; "
        "save it smaller, for example 4000 pixels wide, and upload that."
    )


def _photo(image: Image.Image, data: bytes = b"") -> Photo:
    """An opened picture, and the bytes of its file where it comes from one."""
    width, height = image.size
    try:
        image.load()
        if image_files.lacks_pixels(data, image):
            raise damaged()
        upright = _rgb(image)
    except Exception as error:  # decoders raise all kinds of errors on damaged files
        raise damaged() from error
    orientation = image_files.orientation(image)
    upright.info.clear()
    upright.getexif()[ExifTags.Base.Orientation] = orientation
    ImageOps.exif_transpose(upright, in_place=True)
    if orientation in _SIDEWAYS:
        width, height = height, width
    return Photo(np.array(upright), width, height, 1.0)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "LAB":
        return _lab_to_rgb().apply(image)
    if image.mode.startswith(("I", "F")):
        image = _grey_in_8_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("LA" if image.mode == "La" else "RGBA").convert("RGBA")
    on_white = Image.new("RGB", image.size, "white")
    on_white.paste(image, mask=image)
    return on_white


def _grey_in_8_bits(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits as 8 bits, with its transparent value if it has one."""
    samples = np.asarray(image)
    grey = Image.fromarray(bit_depth.to_8_bit(samples))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey.putalpha(Image.fromarray(samples != transparent).convert("L"))
    return grey


@cache
def _lab_to_rgb() -> ImageCms.ImageCmsTransform:
    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, rgb, "LAB", "RGB")
