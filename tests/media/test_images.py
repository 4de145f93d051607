import io
import os
import pickle
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops, ImageFile

from kpdemo.media import images
from kpdemo.media.images import ImageError, from_array, load

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(width: int = 96, height: int = 64) -> Image.Image:
    """Coloured noise that does not compress, so that a cut file has lost pixels."""
    values = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


def quadrants() -> Image.Image:
    """40 x 24: red at the top left, green right of it, blue below it, white at the end."""
    image = Image.new("RGB", (40, 24), WHITE)
    for color, box in ((RED, (0, 0, 20, 12)), (GREEN, (20, 0, 40, 12)), (BLUE, (0, 12, 20, 24))):
        image.paste(color, box)
    return image


def near(pixel, color, tolerance: int = 6) -> bool:
    return bool(np.abs(np.asarray(pixel, int) - color).max() <= tolerance)


def png_claiming(width: int, height: int) -> bytes:
    """A small PNG whose header says another size."""
    data = bytearray(encoded(noise(), "PNG"))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded(noise(), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def gif_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded(noise(), "GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def bmp_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded(noise(), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF"])
def test_every_format_is_read_by_content(kind, tmp_path):
    path = tmp_path / "photo.dat"
    path.write_bytes(encoded(quadrants(), kind))
    photo = load(path)
    assert photo.pixels.shape == (24, 40, 3)
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.flags.c_contiguous
    assert (photo.width, photo.height, photo.scale) == (40, 24, 1.0)
    assert near(photo.pixels[5, 5], RED, 40)
    assert near(photo.pixels[18, 5], BLUE, 40)


def test_path_text_bytes_and_file_give_the_same_pixels(hopper_path):
    data = hopper_path.read_bytes()
    expected = np.asarray(Image.open(hopper_path))
    for source in (hopper_path, str(hopper_path), data, io.BytesIO(data)):
        np.testing.assert_array_equal(load(source).pixels, expected)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"Dear reader, this is no picture at all.\n" * 20, "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "not a picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400), "export the photo as JPEG"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heix" + bytes(400), "export the photo as JPEG"),
        (encoded(noise(1, 1), "PNG"), "too small"),
        (encoded(noise(300, 15), "PNG"), "too small"),
        (encoded(Image.new("L", (30000, 15)), "PNG"), "too narrow"),
    ],
)
def test_unusable_files_are_refused_in_one_sentence(data, said, tmp_path):
    path = tmp_path / "holiday.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=said) as caught:
        load(path)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert str(tmp_path) not in message


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_truncated_files_are_refused(kind, kept):
    data = encoded(noise(), kind)
    with pytest.raises(ImageError):
        load(data[: int(len(data) * kept)])


def test_truncated_photo_says_that_it_is_incomplete(hopper_path):
    data = hopper_path.read_bytes()
    with pytest.raises(ImageError, match="damaged or incomplete"):
        load(data[: len(data) // 2])


def test_progressive_jpeg_is_read_whole_and_refused_cut():
    data = encoded(noise(), "JPEG", progressive=True)
    assert load(data).pixels.shape == (64, 96, 3)
    with pytest.raises(ImageError, match="incomplete"):
        load(data[: len(data) * 3 // 4])


def test_corrupt_pixels_are_refused():
    data = bytearray(encoded(noise(), "PNG"))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ImageError, match="damaged"):
        load(bytes(data))


@pytest.mark.parametrize("claiming", [png_claiming, jpeg_claiming, gif_claiming, bmp_claiming])
@pytest.mark.parametrize("size", [(20000, 10000), (11000, 10000), (8000, 5001)])
def test_too_many_pixels_are_refused_by_the_header_alone(claiming, size, monkeypatch):
    data = claiming(*size)
    decoded = []
    monkeypatch.setattr(Image.Image, "load", lambda image: decoded.append(image))
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: decoded.append(image))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match="more than 40 megapixels"):
            load(data)
    assert decoded == []


def test_too_many_bytes_are_refused_without_reading_them_all():
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            assert size > 0, "asked for everything"
            self.given += size
            return bytes(size)

    file = Endless()
    with pytest.raises(ImageError, match="larger than 50 MB"):
        load(file)
    assert file.given <= images.MAX_BYTES + 1


def test_file_that_cannot_be_opened_is_an_image_error(tmp_path):
    for path in (tmp_path / "gone.png", tmp_path, "nul\0byte.png"):
        with pytest.raises(ImageError, match="could not be opened"):
            load(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind, orientation):
    upright = quadrants()
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = load(encoded(stored, kind, exif=exif))
    assert (photo.width, photo.height) == (40, 24)
    assert photo.pixels.shape == (24, 40, 3)
    assert near(photo.pixels[5, 5], RED, 40)
    assert near(photo.pixels[5, 34], GREEN, 40)
    assert near(photo.pixels[18, 5], BLUE, 40)
    assert near(photo.pixels[18, 34], WHITE, 40)


def test_transparent_and_deep_pictures_are_turned_upright_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    for image in (noise().convert("RGBA"), Image.fromarray(np.zeros((64, 96), np.uint16))):
        assert load(encoded(image, "PNG", exif=exif)).pixels.shape == (96, 64, 3)


def test_broken_exif_does_not_lose_the_photo():
    photo = load(encoded(quadrants(), "PNG", exif=b"Exif\0\0not exif at all"))
    assert near(photo.pixels[5, 5], RED)


def test_large_photo_keeps_its_pixels_until_it_is_shrunk():
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = load(encoded(noise(300, 200).resize((3600, 2401)), "JPEG", exif=exif))
    assert (photo.width, photo.height, photo.scale) == (2401, 3600, 1.0)
    assert photo.pixels.shape == (3600, 2401, 3)
    small = photo.shrunk()
    assert (small.width, small.height) == (2401, 3600)
    assert small.pixels.shape == (2507, 1672, 3)
    assert small.scale == pytest.approx(2507 / 3600, rel=1e-3)
    assert small.shrunk() is small


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_points_keep_their_place_through_shrinking(kind, orientation):
    # A size that neither 2 nor the scale divides.
    width, height, x, y = 4999, 4401, 4001, 3203
    image = Image.new("L", (width, height), 0)
    image.paste(255, (x - 20, y - 20, x + 21, y + 21))
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}.get(orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = image if turn is None else image.transpose(turn)
    photo = load(encoded(stored, kind, exif=exif)).shrunk()
    assert (photo.width, photo.height) == (width, height)
    weight = photo.pixels[..., 0].astype(float)
    rows, columns = np.indices(weight.shape)
    center = np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()
    np.testing.assert_allclose(photo.to_original(center), (x, y), atol=0.5)
    np.testing.assert_allclose(photo.to_work(np.array([x, y])), center, atol=0.25)


def test_points_of_a_small_photo_stay_as_they_are():
    points = np.array([[0, 0], [12.5, 7.25]], np.float32)
    photo = from_array(np.zeros((20, 30, 3), np.uint8))
    np.testing.assert_array_equal(photo.to_original(points), points)
    np.testing.assert_array_equal(photo.to_work(points), points)


def test_sixteen_bit_gradient_is_scaled_not_clipped():
    values = np.linspace(0, 65535, 256).astype(np.uint16)
    gradient = np.repeat(values[None], 32, 0)
    expected = np.arange(256)
    for data in (
        encoded(Image.fromarray(gradient), "PNG"),
        encoded(Image.fromarray(gradient), "TIFF"),
        encoded(Image.fromarray(gradient.astype(">u2")), "TIFF"),
    ):
        pixels = load(data).pixels.astype(int)
        assert pixels.shape == (32, 256, 3)
        assert np.abs(pixels - expected[None, :, None]).max() <= 1


@pytest.mark.parametrize("low, high", [(0.0, 1.0), (-5.0, 3.0), (0.0, 65535.0)])
def test_float_gradient_uses_its_own_range(low, high):
    gradient = np.repeat(np.linspace(low, high, 256, dtype=np.float32)[None], 32, 0)
    gradient[0, 0] = np.nan
    pixels = load(encoded(Image.fromarray(gradient), "TIFF")).pixels.astype(int)
    assert np.abs(pixels[1:] - np.arange(256)[None, :, None]).max() <= 1


def test_integer_gradient_uses_its_own_range():
    gradient = np.repeat((np.arange(256, dtype=np.int32) * 1000)[None], 32, 0)
    pixels = load(encoded(Image.fromarray(gradient), "TIFF")).pixels.astype(int)
    assert np.abs(pixels - np.arange(256)[None, :, None]).max() <= 1


def transparent_pictures():
    rgba = Image.new("RGBA", (40, 24), (*RED, 255))
    rgba.paste((0, 0, 0, 0), (20, 0, 40, 24))
    yield "RGBA PNG", encoded(rgba, "PNG"), RED
    yield "RGBA WebP", encoded(rgba, "WEBP", lossless=True), RED
    yield "palette GIF", encoded(rgba, "GIF"), RED
    yield "palette PNG", encoded(rgba.quantize(), "PNG"), RED
    grey = Image.new("LA", (40, 24), (90, 255))
    grey.paste((0, 0), (20, 0, 40, 24))
    yield "LA PNG", encoded(grey, "PNG"), (90, 90, 90)
    keyed = Image.new("RGB", (40, 24), RED)
    keyed.paste((1, 2, 3), (20, 0, 40, 24))
    yield "RGB PNG with a transparent colour", encoded(keyed, "PNG", transparency=(1, 2, 3)), RED


@pytest.mark.parametrize(
    ("data", "color"), [pytest.param(*rest, id=name) for name, *rest in transparent_pictures()]
)
def test_transparency_lies_on_white(data, color):
    pixels = load(data).pixels
    assert near(pixels[5, 5], color)
    assert near(pixels[5, 34], WHITE)


def test_half_transparent_is_mixed_with_white():
    pixels = load(encoded(Image.new("RGBA", (20, 20), (0, 0, 0, 128)), "PNG")).pixels
    assert near(pixels[9, 9], (127, 127, 127), 2)


def test_cmyk_jpeg_has_its_colors():
    # Pillow writes Adobe's inverted CMYK, as Photoshop does.
    data = encoded(quadrants().convert("CMYK"), "JPEG", quality=95)
    assert Image.open(io.BytesIO(data)).mode == "CMYK"
    pixels = load(data).pixels
    assert near(pixels[5, 5], RED, 12)
    assert near(pixels[5, 34], GREEN, 12)
    assert near(pixels[18, 34], WHITE, 12)


def test_grey_and_bilevel_pictures_become_rgb():
    for mode in ("L", "1"):
        pixels = load(encoded(Image.new(mode, (20, 20), 255), "PNG")).pixels
        assert pixels.shape == (20, 20, 3)
        assert (pixels == 255).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_an_animation(kind):
    frames = [Image.new("RGB", (32, 32), color) for color in (BLUE, RED, GREEN)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert near(load(data).pixels[16, 16], BLUE, 12)


def test_shrinking_does_not_alias():
    stripes = np.zeros((2048, 8192, 3), np.uint8)
    stripes[:, ::2] = 255
    stripes[::2] = 255 - stripes[::2]
    pixels = from_array(stripes).shrunk().pixels
    assert pixels.shape == (1024, 4096, 3)
    assert near(pixels.min((0, 1)), (127, 127, 127), 4)
    assert near(pixels.max((0, 1)), (127, 127, 127), 4)


@pytest.mark.parametrize("shape", [(30, 50), (30, 50, 3), (30, 50, 4)])
def test_arrays_are_pictures_too(shape):
    array = np.full(shape, 255, np.uint8)
    array[..., :10, :20] = 0 if len(shape) == 2 else array[..., :10, :20]
    photo = from_array(array)
    assert photo.pixels.shape == (30, 50, 3)
    assert (photo.width, photo.height, photo.scale) == (50, 30, 1.0)
    photo.pixels[:] = 1
    assert array.max() == 255


def test_one_channel_is_grey():
    array = np.random.default_rng(0).integers(0, 255, (30, 50, 1), np.uint8)
    np.testing.assert_array_equal(from_array(array).pixels, np.repeat(array, 3, 2))


def test_large_and_strided_arrays():
    array = np.zeros((1000, 4100, 3), np.uint8)
    array[..., 0] = 200
    photo = from_array(array[:, ::-1, ::-1])
    assert photo.pixels.shape == (1000, 4100, 3)
    assert (photo.width, photo.height) == (4100, 1000)
    assert near(photo.pixels[5, 5], (0, 0, 200), 0)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((30, 30, 3), np.float32),
        np.zeros((30, 30, 2), np.uint8),
        np.zeros((3, 30, 30, 3), np.uint8),
        np.zeros(30, np.uint8),
        np.zeros((8, 30, 3), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        np.broadcast_to(np.uint8(0), (20000, 10000, 3)),
    ],
)
def test_arrays_that_are_no_pictures(array):
    with pytest.raises(ImageError):
        from_array(array)
    assert issubclass(ImageError, ValueError)


def test_nothing_of_the_file_is_changed(hopper_path):
    before = hopper_path.read_bytes()
    first, second = load(hopper_path), load(hopper_path)
    assert hopper_path.read_bytes() == before
    assert not np.shares_memory(first.pixels, second.pixels)
    difference = ImageChops.difference(Image.fromarray(first.pixels), Image.open(hopper_path))
    assert difference.getbbox() is None


@pytest.mark.parametrize(
    "mode",
    ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LA", "PA", "RGBX", "RGBa"],
)
def test_pillow_pictures_of_any_mode_are_taken(hopper_path, mode):
    with Image.open(hopper_path) as hopper:
        picture = hopper.convert("RGBA" if mode in ("LA", "PA", "RGBa") else "RGB").convert(mode)
    expected = np.asarray(picture.convert("RGB")).astype(int)
    before = picture.tobytes()
    assert np.abs(load(picture).pixels - expected).max() <= 2
    assert picture.tobytes() == before


@pytest.mark.parametrize("mode", ["I", "F", "I;16", "I;16L", "I;16B", "LAB", "La"])
def test_rare_modes_of_pillow_are_taken(mode):
    assert load(Image.new(mode, (40, 30))).pixels.shape == (30, 40, 3)


def test_pillow_pictures_are_upright_and_the_frame_that_they_stand_at(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("JPEG", "PNG", "TIFF"):
        with Image.open(io.BytesIO(encoded(noise(), kind, exif=exif))) as picture:
            assert load(picture).pixels.shape == (96, 64, 3)
            picture.load()
            assert load(picture).pixels.shape == (96, 64, 3)
    frames = [Image.new("RGB", (32, 32), color) for color in (BLUE, RED)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(data)) as picture:
        assert near(load(picture).pixels[16, 16], BLUE)


def test_pillow_pictures_that_cannot_be_used(hopper_path):
    cut = Image.open(io.BytesIO(hopper_path.read_bytes()[:9000]))
    closed = Image.open(hopper_path)
    closed.close()
    for picture in (cut, closed):
        with pytest.raises(ImageError, match="damaged"):
            load(picture)
    with pytest.raises(ImageError, match="too small"):
        load(Image.new("RGB", (0, 0)))
    with pytest.raises(ImageError, match="more than 40 megapixels"):
        load(Image.new("1", (8000, 5001)))


def test_bytes_of_any_kind_and_loaded_photos_are_taken(hopper_path):
    data = hopper_path.read_bytes()
    photo = load(data)
    for source in (bytearray(data), memoryview(data), hopper_path.open("rb"), photo.pixels):
        np.testing.assert_array_equal(load(source).pixels, photo.pixels)
    assert load(photo) is photo


@pytest.mark.parametrize(
    "value",
    [None, [], ["a.jpg", "b.jpg"], ("a.jpg",), {"path": "a.jpg"}, {1}, 5, 1.5, True, object(), load]
    + [torch.zeros(3, 64, 64), Image.Image, range(3), np.uint8(3)],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_photo_is_refused_in_one_sentence(value):
    name = type(value).__name__
    with pytest.raises(ImageError, match=f"type {name} is not a photo; pass a path") as caught:
        load(value)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_files_that_give_no_bytes(tmp_path):
    (tmp_path / "photo.txt").write_text("text")
    with pytest.raises(ImageError, match="binary mode"):
        load(io.StringIO("text"))
    with (tmp_path / "photo.txt").open() as text, pytest.raises(ImageError, match="binary mode"):
        load(text)
    with (tmp_path / "out").open("wb") as out, pytest.raises(ImageError, match="could not be open"):
        load(out)
    closed = io.BytesIO(b"closed")
    closed.close()
    with pytest.raises(ImageError, match="could not be opened"):
        load(closed)


def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "photo.jpg")
    with pytest.raises(ImageError, match="is a pipe"):
        load(tmp_path / "photo.jpg")


def test_a_photo_without_pixels_travels_without_them():
    photo = from_array(np.zeros((300, 200, 3), np.uint8))
    data = pickle.dumps(photo.without_pixels())
    assert len(data) < 1000
    arrived, points = pickle.loads(data), np.array([[1.0, 2.0]])
    assert arrived.pixels.shape == (300, 200, 3)
    np.testing.assert_array_equal(arrived.to_original(points), photo.to_original(points))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(photo)).pixels, photo.pixels)
