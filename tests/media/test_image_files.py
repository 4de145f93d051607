"""What every browser shows is read, whatever lies beside its pixels; missing pixels are refused."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile  # comes with scikit-image
from PIL import Image, ImageFile, PngImagePlugin, TiffImagePlugin

from kpdemo.media import image_files
from kpdemo.media.images import ImageError, load

ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def photo(hopper_path) -> Image.Image:
    with Image.open(hopper_path) as hopper:
        return hopper.convert("RGB")


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes, wrong: int = 0) -> bytes:
    checksum = zlib.crc32(kind + data) ^ wrong
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png(rows: bytes, width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


PNG_EXTRAS = {
    "compressed text": chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(2_000_000))),
    "text": chunk(b"tEXt", b"note\0" + b"x" * 2_000_000),
    "XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(2_000_000))),
    "profile": chunk(b"iCCP", b"lut\0\0" + zlib.compress(bytes(2_000_000))),
    **{
        f"{kind.decode()}, wrong by {wrong}, {len(data)} bytes": chunk(kind, data, wrong)
        for kind in (
            b"tEXt",
            b"zTXt",
            b"iTXt",
            b"iCCP",
            b"pHYs",
            b"eXIf",
            b"acTL",
            b"fcTL",
            b"abCd",
        )
        for data in (b"", bytes(5), b"abc\0" + bytes(200))
        for wrong in (0, 1)
    },
    "gamma with a wrong checksum": chunk(b"gAMA", struct.pack(">I", 45455), 1),
    "transparency with a wrong checksum": chunk(b"tRNS", bytes(6), 1),
}


@pytest.mark.parametrize("extra", PNG_EXTRAS.values(), ids=PNG_EXTRAS)
def test_png_is_read_whatever_lies_beside_its_pixels(photo, extra):
    data = encoded(photo, "PNG")
    for at in (33, len(data) - 12):
        np.testing.assert_array_equal(load(data[:at] + extra + data[at:]).pixels, np.asarray(photo))


def test_png_without_its_end_or_with_more_behind_it_is_read(photo):
    data = encoded(photo, "PNG")
    for whole in (data[:-12], data[:-1] + b"?", data + b"more" * 99):
        np.testing.assert_array_equal(load(whole).pixels, np.asarray(photo))


def test_png_is_upright_by_its_exif_alone(photo):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    assert load(encoded(photo, "PNG", exif=exif)).pixels.shape == (512, 600, 3)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("depth", [8, 16])
def test_png_with_too_few_rows_is_refused(photo, depth, share):
    pixels = np.asarray(photo) if depth == 8 else np.asarray(photo).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    np.testing.assert_array_equal(
        load(png(rows, *photo.size, depth)).pixels,
        np.asarray(photo),
    )
    with pytest.raises(ImageError, match="incomplete"):
        load(png(rows[: int(share * len(rows))], *photo.size, depth))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_black_png_is_whole(mode):
    assert load(encoded(Image.new(mode, (67, 33)), "PNG")).pixels.shape == (33, 67, 3)


@pytest.mark.parametrize("option", ["optimize", "progressive", "restart_marker_rows"])
def test_jpeg_needs_its_pixels_and_not_its_end_marker(photo, option):
    data = encoded(photo, "JPEG", quality=90, **{option: 1})
    pixels = load(data).pixels
    for whole in (data[:-2], data[:-1], data + b"more" * 99, data[:-2] + b"\0\0"):
        np.testing.assert_array_equal(load(whole).pixels, pixels)
    for share in (0.2, 0.5, 0.8):
        cut = data[: int(share * len(data))]
        for damaged in (cut, cut + b"\xff\xd9"):
            with pytest.raises(ImageError, match="damaged or incomplete"):
                load(damaged)
    for missing in (5, 9, 40):
        with pytest.raises(ImageError, match="damaged or incomplete"):
            load(data[:-missing])


def test_jpeg_cut_between_restarts_or_scans_is_refused(photo):
    restarts = encoded(photo, "JPEG", restart_marker_rows=1)
    marks = [at for n in range(8) if (at := restarts.rfind(bytes([0xFF, 0xD0 + n]))) > 0]
    progressive = encoded(photo, "JPEG", progressive=True)
    scan = progressive.rfind(b"\xff\xda")
    for cut in (*(restarts[: at + more] for at in marks for more in (0, 2)), progressive[:scan]):
        with pytest.raises(ImageError, match="damaged or incomplete"):
            load(cut)


JPEG_EXTRAS = {
    "Exif that is none": segment(0xE1, b"Exif\0\0" + b"garbage" * 9),
    "short Exif": segment(0xE1, b"Exif"),
    "profile in pieces": segment(0xE2, b"ICC_PROFILE\0\5\2abc"),
    "broken index of pictures": segment(0xE2, b"MPF\0garbage"),
    "broken Photoshop": segment(0xED, b"Photoshop 3.0\x008BIM\3\xed\0\0\0\0"),
    "short JFIF": segment(0xE0, b"JFIF\0"),
    "short Adobe": segment(0xEE, b"Adobe"),
    "no length": b"\xff\xe5\0\0",
    "comment that looks like an end": segment(0xFE, b"\xff\xd9\xff\xda"),
    "six megabytes": segment(0xE3, bytes(65_000)) * 100,
}


@pytest.mark.parametrize("extra", JPEG_EXTRAS.values(), ids=JPEG_EXTRAS)
def test_jpeg_is_read_whatever_lies_beside_its_pixels(photo, extra):
    data = encoded(photo, "JPEG")
    expected = load(data).pixels
    jfif_end = 4 + 16
    for at in (2, jfif_end):
        np.testing.assert_array_equal(load(data[:at] + extra + data[at:]).pixels, expected)
    np.testing.assert_array_equal(
        load(data[:jfif_end] + b"\0junk" + data[jfif_end:]).pixels, expected
    )


def test_first_picture_of_an_mpo_is_the_photo(photo):
    data = encoded(photo, "MPO", save_all=True, append_images=[photo.resize((99, 88))])
    for whole in (data, data[:-500]):
        assert load(whole).pixels.shape == (600, 512, 3)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=str)
def test_grey_jpeg_is_whole(mode, options):
    assert load(encoded(Image.new(mode, (64, 48), 128), "JPEG", **options)).pixels.shape[0] == 48


def test_webp_is_read_whatever_lies_beside_its_pixels(photo):
    data = encoded(photo, "WEBP", exif=b"Exif\0\0none", icc_profile=b"x" * 99, xmp=b"y" * 99)
    pixels = load(data).pixels
    for whole in (data[:-50], data + b"more", data[:4] + bytes(4) + data[8:]):
        np.testing.assert_array_equal(load(whole).pixels, pixels)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animation_may_end_after_its_first_frame(photo, kind):
    data = encoded(photo, kind, save_all=True, append_images=[photo.rotate(180)])
    assert load(data[:-500]).pixels.shape == (600, 512, 3)


def test_settings_of_pillow_stay_as_they_are(photo):
    before = ImageFile.LOAD_TRUNCATED_IMAGES, PngImagePlugin.MAX_TEXT_CHUNK
    load(encoded(photo, "PNG"))
    with pytest.raises(ImageError):
        load(encoded(photo, "JPEG")[:9000])
    assert before == (ImageFile.LOAD_TRUNCATED_IMAGES, PngImagePlugin.MAX_TEXT_CHUNK)


def pages(*images: np.ndarray, kinds: tuple[int, ...], **options) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file, **options) as out:
        for image, kind in zip(images, kinds, strict=True):
            out.write(image, subfiletype=kind, photometric="rgb", metadata=None)
    return file.getvalue()


SMALL, LARGE = np.full((150, 128, 3), 9, np.uint8), np.full((600, 512, 3), 128, np.uint8)
OTHER = np.full((300, 700, 3), 77, np.uint8)


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}], ids=str)
@pytest.mark.parametrize(
    ("images", "kinds", "first"),
    [
        ((SMALL, LARGE), (1, 0), LARGE),  # a smaller version of another page
        ((SMALL, LARGE), (0, 0), LARGE),  # a preview that does not say so
        ((SMALL, LARGE), (2, 2), SMALL),  # pages of a document
        ((LARGE, OTHER), (0, 0), LARGE),
        ((OTHER, LARGE), (0, 0), OTHER),
        ((LARGE, SMALL), (0, 1), LARGE),
        ((LARGE,), (1,), LARGE),
    ],
)
def test_photo_among_the_pages_of_a_tiff(images, kinds, first, options):
    np.testing.assert_array_equal(load(pages(*images, kinds=kinds, **options)).pixels, first)


def test_mask_is_not_the_photo():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as out:
        out.write(np.ones((600, 512), bool), subfiletype=4, photometric="mask", metadata=None)
        out.write(LARGE, photometric="rgb", metadata=None)
    np.testing.assert_array_equal(load(file.getvalue()).pixels, LARGE)


def test_photo_below_a_preview():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as out:
        out.write(SMALL, subfiletype=1, subifds=1, photometric="rgb", metadata=None)
        out.write(LARGE, subfiletype=0, photometric="rgb", metadata=None)
    np.testing.assert_array_equal(load(file.getvalue()).pixels, LARGE)


def test_photo_that_a_writer_left_behind_the_preview():
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = 1
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file, True) as out:
        Image.fromarray(SMALL).save(out, "TIFF", tiffinfo=tags)
        out.newFrame()
        Image.fromarray(LARGE).save(out, "TIFF")
    np.testing.assert_array_equal(load(file.getvalue()).pixels, LARGE)


@pytest.mark.parametrize(("photometric", "shape"), [(32803, (600, 512)), (34892, (600, 512, 3))])
def test_raw_photo_is_not_its_preview(photometric, shape):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as out:
        out.write(SMALL, subfiletype=1, subifds=1, photometric="rgb", metadata=None)
        sensor = np.zeros(shape, np.uint16)
        out.write(sensor, subfiletype=0, photometric=photometric, metadata=None)
    with pytest.raises(ImageError, match="This is a raw photo"):
        load(file.getvalue())


def test_tiff_pages_in_a_circle_end():
    data = bytearray(pages(SMALL, LARGE, kinds=(1, 1)))
    (first,) = struct.unpack_from("<L", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<L", data, first + 2 + 12 * count, first)
    np.testing.assert_array_equal(load(bytes(data)).pixels, SMALL)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_tiff_size_is_checked_before_it_is_decoded(depth):
    data = bytearray(pages(LARGE.astype(depth), kinds=(0,)))
    for tag in (256, 257):
        at = data.index(struct.pack("<HHL", tag, 4, 1))
        struct.pack_into("<L", data, at + 8, 30_000)
    with pytest.raises(ImageError, match="more than 40 megapixels"):
        load(bytes(data))


def heic(image: Image.Image, **options) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, **options)
    return file.getvalue()


def test_heic_is_read(photo):
    pixels = load(heic(photo, quality=95)).pixels
    assert pixels.shape == (600, 512, 3)
    assert np.abs(pixels.astype(int) - np.asarray(photo)).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_upright(photo, orientation):
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    file = io.BytesIO()
    stored = pillow_heif.from_bytes("RGB", photo.size, photo.tobytes())
    stored.save(file, quality=95, exif=exif.tobytes())  # the container has the turn, as Exif has
    read, expected = load(file.getvalue()), load(encoded(photo, "PNG", exif=exif))
    assert (read.width, read.height) == (expected.width, expected.height)
    assert np.abs(read.pixels.astype(int) - expected.pixels).mean() < 3


@pytest.mark.parametrize("mode", ["RGB;16", "L;16"])
def test_heic_of_ten_bits_is_as_bright(photo, mode):
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    image = photo.convert("L") if mode == "L;16" else photo
    samples = np.asarray(image).astype(np.uint16) * 257
    file = io.BytesIO()
    pillow_heif.from_bytes(mode, image.size, samples.tobytes()).save(file, quality=95)
    pixels = load(file.getvalue()).pixels
    assert np.abs(pixels.astype(int) - np.asarray(image.convert("RGB"))).mean() < 3


def test_primary_picture_of_a_heic_is_the_photo(photo):
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    several = pillow_heif.from_pillow(photo.resize((128, 150)))
    several.add_from_pillow(photo)
    file = io.BytesIO()
    several.save(file, primary_index=1)
    assert load(file.getvalue()).pixels.shape == (600, 512, 3)


def test_transparent_heic_lies_on_white():
    pixels = load(heic(Image.new("RGBA", (64, 64), (255, 0, 0, 0)))).pixels
    assert (pixels > 250).all()


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9, 0.99])
def test_cut_heic_is_refused(photo, share):
    data = heic(photo)
    with pytest.raises(ImageError, match="HEIC photo is damaged or incomplete"):
        load(data[: int(share * len(data))])


def test_size_of_a_heic_is_checked_before_it_is_decoded(photo):
    data = heic(photo)
    size = b"ispe" + bytes(4) + struct.pack(">II", *photo.size)
    assert size in data
    claim = data.replace(size, b"ispe" + bytes(4) + struct.pack(">II", 9000, 8000))
    with pytest.raises(ImageError, match="more than 40 megapixels"):
        load(claim)


def test_heic_without_a_decoder_is_refused_in_one_sentence(photo, monkeypatch):
    data = heic(photo)
    monkeypatch.setattr(image_files, "READS_HEIC", False)
    with pytest.raises(ImageError, match="HEIC photos cannot be read here; export"):
        load(data)
