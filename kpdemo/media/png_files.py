"""PNG files: the chunks that decoders need, and whether all rows are present."""

import struct
import zlib

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_METADATA = {b"tRNS", b"eXIf"}
_DEEP, _GREY = 16, 0
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: where each pass starts and how far apart its pixels are, across and down.
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_STEP = 1 << 20


def strip(data: bytes) -> bytes:
    """The chunks of the still picture, and of the rest transparency and Exif if they are whole.

    Text, colour profiles, times, physical sizes and an animation's further frames are left out.
    """
    parts, at = [SIGNATURE], len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + 12 + length
        if kind in _PIXELS or (kind in _METADATA and _is_whole(data[at:end])):
            parts.append(data[at:end])
        if kind == b"IEND":
            break
        at = end
    return b"".join(parts)


def is_deep_colour(data: bytes) -> bool:
    """Whether the header of a PNG says 16 bits a sample and more than grey."""
    return data[24] == _DEEP and data[25] != _GREY


def lacks_pixels(data: bytes, image: Image.Image) -> bool:
    """Whether a lean file, decoded as `image`, holds fewer rows than its header says.

    Decoders leave missing rows at zero, so that most pictures need no inflating.
    """
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    last = image.crop((0, height - 1, width, height))
    if not interlaced and last.getbbox(alpha_only=False):
        return False
    bits = depth * _CHANNELS[colour]
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    expected = 0
    for x, y, across, down in passes:
        columns, rows = -(-(width - x) // across), -(-(height - y) // down)
        if columns > 0 and rows > 0:
            expected += rows * (1 + -(-columns * bits // 8))
    return _inflated_length(data, expected) < expected


def _is_whole(chunk: bytes) -> bool:
    return struct.pack(">I", zlib.crc32(chunk[4:-4])) == chunk[-4:]


def _inflated_length(data: bytes, expected: int) -> int:
    """How many bytes of rows there are, counted up to `expected`."""
    parts, at = [], len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            parts.append(data[at + 8 : at + 8 + length])
        at += 12 + length
    inflate, rest, total = zlib.decompressobj(), b"".join(parts), 0
    while total < expected and not inflate.eof:
        rows = inflate.decompress(rest, _STEP)
        if not rows:
            break
        total += len(rows)
        rest = inflate.unconsumed_tail
    return total
