"""The picture in the bytes of a file: its header first, so that its size can be refused, then its
pixels.

Parts that no decoder needs are removed first, so that broken or huge metadata is no obstacle.
"""

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from io import BytesIO

import numpy as np
from PIL import ExifTags, Image

from kpdemo.media import bit_depth, jpeg_files, png_files, tiff_files, webp_files
from kpdemo.media.image_error import ImageError

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF")
READS_HEIC = find_spec("pi_heif") is not None

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIF_BRANDS = _HEIC_BRANDS | {b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}


def open_image(data: bytes, check_size: Callable[[int, int], object]) -> tuple[Image.Image, bytes]:
    """The picture in a file, and the bytes that it is decoded from.

    It is upright once its Exif orientation is applied; its pixels are decoded when they are first
    asked for, or have been where a library knows no other way. `check_size` gets the width and the
    height before that, and raises what is too much. Raises `ImageError` for a raw photo and a
    truncated or damaged file, `UnidentifiedImageError` for an unknown format.
    """
    if is_heif(data):
        return _heif(data, check_size), data
    if data.startswith(tiff_files.SIGNATURES):
        return _tiff(data, check_size)
    if data.startswith(png_files.SIGNATURE):
        data = png_files.strip(data)
    elif data.startswith(jpeg_files.SIGNATURE):
        data = jpeg_files.strip(data)
    elif webp_files.is_webp(data):
        data = webp_files.strip(data)
    image = _open(data)
    check_size(*image.size)
    if image.format == "JPEG":
        ended = jpeg_files.complete(data)
        return (image, data) if ended is data else (_open(ended), ended)
    if image.format == "PNG" and png_files.is_deep_colour(data):
        return _deep_colour(data, image) or image, data
    return image, data


def lacks_pixels(data: bytes, image: Image.Image) -> bool:
    """Whether an image that was decoded from these bytes holds pixels that are not in them."""
    if data.startswith(jpeg_files.SIGNATURE):
        return jpeg_files.lacks_pixels(data, image)
    return data.startswith(png_files.SIGNATURE) and png_files.lacks_pixels(data, image)


def is_heif(data: bytes) -> bool:
    """Whether a file is HEIC or HEIF, and not AVIF, which lives in the same container."""
    if data[4:8] != b"ftyp":
        return False
    # The box: its length, "ftyp", the major brand, a version, then the compatible brands. Some
    # writers give both kinds the generic brand mif1.
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
    return bool(brands & _HEIF_BRANDS) and not brands & _AVIF_BRANDS


def orientation(image: Image.Image) -> int:
    """Which way up a picture is stored, as Exif counts it; 1, upright, where it does not say."""
    try:
        stored = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # broken metadata does not make an image unusable
        return 1
    return next((number for number in range(1, 9) if number == stored), 1)


def _open(data: bytes) -> Image.Image:
    # Pillow warns about images that the size check refuses more clearly, and about
    # metadata that is not used.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(BytesIO(data), formats=FORMATS)


def _heif(data: bytes, check_size: Callable[[int, int], object]) -> Image.Image:
    """The primary picture of a HEIC file, turned upright as its container says."""
    if not READS_HEIC:
        raise ImageError(
            "HEIC photos cannot be read here; export the photo as JPEG and upload that."
        )
    import pi_heif

    try:
        file = pi_heif.open_heif(data)
        primary = file[file.primary_index]
        check_size(*primary.size)
        return primary.to_pillow()
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(
            "The HEIC photo is damaged or incomplete, or of a kind that cannot be read here; "
            "export the photo as JPEG and upload that."
        ) from error


def _tiff(data: bytes, check_size: Callable[[int, int], object]) -> tuple[Image.Image, bytes]:
    data, page = tiff_files.photo(data)
    check_size(page.width, page.height)
    # Both OpenCV and Pillow turn a TIFF upright.
    if page.is_deep_colour and (image := bit_depth.read_deep_colour(data)):
        return image, data
    image = _open(data)
    if page.is_inverted and image.mode.startswith(("I", "F")):
        image = Image.fromarray(255 - bit_depth.to_8_bit(np.asarray(image)))
    return image, data


def _deep_colour(data: bytes, header: Image.Image) -> Image.Image | None:
    image = bit_depth.read_deep_colour(data)
    if image is not None:
        image.getexif()[ExifTags.Base.Orientation] = orientation(header)
    return image
