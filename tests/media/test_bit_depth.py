"""More than 8 bits a sample: one rule, whatever the depth, the type and the file."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile  # comes with scikit-image
from PIL import Image, ImageCms

from kpdemo.media.images import ImageError, load


@pytest.fixture(scope="module")
def colours(hopper) -> np.ndarray:
    return hopper[:128, 150:310]


@pytest.fixture(scope="module")
def grey(colours) -> np.ndarray:
    return np.asarray(Image.fromarray(colours).convert("L"))


def deep(pixels: np.ndarray, bits: int) -> np.ndarray:
    return np.rint(pixels / 255 * ((1 << bits) - 1)).astype(np.uint16)


def png(pixels: np.ndarray) -> bytes:
    """16 bits a sample: `(H, W)` grey, RGB or RGBA."""
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    return cv2.imencode(".png", pixels)[1].tobytes()


def tiff(pixels: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, metadata=None, **options)
    return file.getvalue()


def expect(data: bytes, pixels: np.ndarray, tolerance: int = 1) -> None:
    read = load(data).pixels.astype(int)
    expected = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
    assert read.shape == expected.shape
    assert np.abs(read - expected).max() <= tolerance


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_grey_of_any_depth_is_as_bright(grey, bits):
    samples = deep(grey, bits)
    expect(png(samples), grey)
    expect(tiff(samples), grey)
    expect(tiff(samples, byteorder=">"), grey)
    expect(tiff(((1 << bits) - 1 - samples).astype(np.uint16), photometric="miniswhite"), grey)
    for kind in (np.int32, np.uint32, np.float32, np.float64):
        expect(tiff(samples.astype(kind)), grey)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_colours_of_any_depth_are_as_bright(colours, bits):
    samples = deep(colours, bits)
    opaque = np.full((*colours.shape[:2], 1), (1 << bits) - 1, np.uint16)
    expect(png(samples), colours)
    expect(png(np.concatenate([samples, opaque], 2)), colours)
    for options in ({}, {"byteorder": ">"}, {"bigtiff": True}, {"compression": "deflate"}):
        expect(tiff(samples, photometric="rgb", **options), colours)
    expect(tiff(samples.astype(np.float32), photometric="rgb"), colours)


def test_fractions_are_shares_of_white(grey, colours):
    expect(tiff((grey / 255).astype(np.float32)), grey)
    expect(tiff((colours / 255).astype(np.float32), photometric="rgb"), colours)


def test_contrast_is_not_stretched(grey):
    flat = np.clip(grey, 50, 200)
    for bits in (10, 12, 16):
        expect(png(deep(flat, bits)), flat)
        expect(tiff(deep(flat, bits).astype(np.int32)), flat)
    expect(tiff((flat / 255).astype(np.float32)), flat)


@pytest.mark.parametrize("bits", [10, 16])
def test_transparent_deep_colours_lie_on_white(colours, bits):
    alpha = np.full((*colours.shape[:2], 1), (1 << bits) - 1, np.uint16)
    alpha[:40] = 0
    expected = colours.copy()
    expected[:40] = 255
    samples = np.concatenate([deep(colours, bits), alpha], 2)
    expect(png(samples), expected)
    expect(tiff(samples, photometric="rgb", extrasamples=["unassalpha"]), expected)


def test_transparent_value_of_deep_grey_lies_on_white(grey):
    samples = grey.astype(">u2") * 257
    samples[:40] = 7
    data = png(samples.astype(np.uint16))
    key = b"tRNS" + struct.pack(">H", 7)
    chunk = struct.pack(">I", 2) + key + struct.pack(">I", zlib.crc32(key))
    expected = grey.copy()
    expected[:40] = 255
    expect(data[:33] + chunk + data[33:], expected)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_deep_tiff_is_upright(colours, grey, kind, orientation):
    tag = [(274, "H", 1, orientation, True)]
    turned = Image.fromarray(colours)
    turned.getexif()[274] = orientation
    expected = load(turned).pixels
    scale = 257 if kind is np.uint16 else 1
    expect(tiff(colours.astype(kind) * scale, photometric="rgb", extratags=tag), expected)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_cut_deep_files_are_refused(colours, share):
    samples = deep(colours, 16)
    packed = tiff(samples, photometric="rgb", compression="deflate")
    for data in (png(samples), tiff(samples, photometric="rgb"), packed):
        with pytest.raises(ImageError):
            load(data[: int(share * len(data))])


def test_deep_colours_in_planes_are_refused_in_one_sentence(colours):
    planes = np.moveaxis(deep(colours, 16), 2, 0)
    with pytest.raises(ImageError, match="save it as PNG or JPEG"):
        load(tiff(planes, photometric="rgb", planarconfig="separate"))


def test_other_colour_spaces(colours):
    image = Image.fromarray(colours)
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.applyTransform(image, ImageCms.buildTransform(*profiles, "RGB", "LAB"))
    cmyk = np.asarray(image.convert("CMYK"))
    file = io.BytesIO()
    lab.save(file, "TIFF")
    assert np.abs(load(file.getvalue()).pixels.astype(int) - colours).mean() < 2
    expect(tiff(cmyk, photometric="separated"), np.asarray(image.convert("CMYK").convert("RGB")))


def test_no_samples_but_nothing_to_show_are_black():
    assert (load(tiff(np.full((20, 20), np.nan, np.float32))).pixels == 0).all()
    assert (load(tiff(np.zeros((20, 20), np.uint16))).pixels == 0).all()
