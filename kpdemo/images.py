"""The one safe door for every uploaded file: bytes in, an upright RGB picture out.

Nothing is logged or kept. Whatever is wrong with a file becomes an `ImageError`, one sentence
that says what happened and what to do next.
"""

import os
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

WORK_SIDE = 2048
MIN_SIDE = 16
MAX_PIXELS = 40_000_000
MAX_BYTES = 50_000_000
TOO_LARGE = (
    f"The file is larger than {MAX_BYTES // 1_000_000} MB; save the picture smaller, or as JPEG, "
    "and upload that."
)
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF")

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIF_BRANDS = _HEIC_BRANDS | {b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_SIDEWAYS = (5, 6, 7, 8)
_USE = "upload a JPEG, PNG, WebP, AVIF, BMP, GIF or TIFF picture"


class ImageError(ValueError):
    """A picture that cannot be used; the message is for the user, and says what to do next."""


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
        """The same photo with at most `WORK_SIDE` squared pixels, to be kept and shown."""
        height, width = self.pixels.shape[:2]
        scale = WORK_SIDE / (height * width) ** 0.5
        if scale >= 1:
            return self
        size = max(1, int(width * scale)), max(1, int(height * scale))
        small = cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA)
        return Photo(small, self.width, self.height, self.scale * scale)

    def to_original(self, points: np.ndarray) -> np.ndarray:
        """Points `(..., 2)` on `pixels` -> float32 photo coordinates of the upright original."""
        return ((np.asarray(points) + 0.5) / self._ratio() - 0.5).astype(np.float32)

    def to_work(self, points: np.ndarray) -> np.ndarray:
        """Photo coordinates `(..., 2)` of the upright original -> float32 points on `pixels`."""
        return ((np.asarray(points) + 0.5) * self._ratio() - 0.5).astype(np.float32)

    def _ratio(self) -> np.ndarray:
        # Not `scale`: whole work pixels make the two axes differ by a hair.
        return np.array(self.pixels.shape[1::-1]) / (self.width, self.height)


def load(source: str | os.PathLike[str] | bytes | BinaryIO) -> Photo:
    """Read a picture from a path, from its bytes, or from an open binary file.

    The first frame of an animation, upright by its EXIF, transparency on white, 16-bit scaled to
    8. Raises `ImageError` for anything that is not a whole, reasonable picture.
    """
    data = _read(source)
    if not data:
        raise ImageError("The file is empty (0 bytes); upload it again.")
    if _is_heif(data):
        raise ImageError(
            "HEIC photos cannot be read here; export the photo as JPEG and upload that."
        )
    try:
        image = _open(data)
    except UnidentifiedImageError as error:
        raise ImageError(f"This file is not a picture that can be read; {_USE}.") from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except Exception as error:
        raise _damaged() from error
    with image:
        _check_size(*image.size)
        return _photo(image)


def from_array(array: np.ndarray) -> Photo:
    """A picture that is already decoded: uint8 `(H, W)` grey, `(H, W, 3)` RGB, `(H, W, 4)` RGBA.

    Checked and composited as in `load`; raises `ImageError`. The array is copied.
    """
    array = np.asarray(array)
    if array.dtype != np.uint8 or not (array.ndim == 2 or array.shape[2:] in ((3,), (4,))):
        raise ImageError(
            f"An array of {array.dtype} {array.shape} is not a picture; "
            "pass uint8 of shape (H, W), (H, W, 3) or (H, W, 4)."
        )
    _check_size(array.shape[1], array.shape[0])
    return _photo(Image.fromarray(np.ascontiguousarray(array)))


def _read(source: str | os.PathLike[str] | bytes | BinaryIO) -> bytes:
    try:
        if isinstance(source, str | os.PathLike):
            with Path(source).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        else:
            data = source if isinstance(source, bytes) else source.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ImageError(
            "The file could not be opened; check that it is there, and choose it again."
        ) from error
    if len(data) > MAX_BYTES:
        raise ImageError(TOO_LARGE)
    return data


def _is_heif(data: bytes) -> bool:
    if data[4:8] != b"ftyp":
        return False
    # The box: its length, "ftyp", the major brand, a version, then the compatible brands. AVIF
    # lives in the same container, and some writers give both the generic brand mif1.
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
    return bool(brands & _HEIF_BRANDS) and not brands & _AVIF_BRANDS


def _open(data: bytes) -> Image.Image:
    # Pillow warns of pictures that _check_size refuses in the next line, with a clearer word.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(BytesIO(data), formats=FORMATS)


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


def _damaged() -> ImageError:
    return ImageError(
        "The picture is damaged or incomplete; open and save it again, or upload another copy."
    )


def _photo(image: Image.Image) -> Photo:
    width, height = image.size
    try:
        image.load()
        upright = _rgb(image)
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise _damaged() from error
    orientation = _orientation(image)
    upright.info.clear()
    upright.getexif()[ExifTags.Base.Orientation] = orientation
    ImageOps.exif_transpose(upright, in_place=True)
    if orientation in _SIDEWAYS:
        width, height = height, width
    return Photo(np.array(upright), width, height, 1.0)


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken metadata is no reason to refuse a whole picture
        return 1


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    on_white = Image.new("RGB", image.size, "white")
    on_white.paste(image, mask=image)
    return on_white


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Deep grey `(H, W)` -> uint8: 16-bit by its high byte, 32-bit by the range that it uses."""
    if values.dtype.itemsize == 2:
        return (values >> 8).astype(np.uint8)
    values = values.astype(np.float64)
    values[~np.isfinite(values)] = 0
    values -= values.min()
    return np.rint(values * (255 / (values.max() or 1))).astype(np.uint8)
