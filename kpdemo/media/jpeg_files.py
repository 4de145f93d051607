"""JPEG files: the first image reduced to what decoders need, and whether all pixels are there."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import Image

from kpdemo.media.image_error import damaged

SIGNATURE = b"\xff\xd8\xff"

_EOI, _SOS = b"\xff\xd9", b"\xff\xda"
_HUFFMAN, _ARITHMETIC, _QUANTISATION, _RESTARTS = 0xC4, 0xCC, 0xDB, 0xDD
_FRAMES = {*range(0xC0, 0xD0)} - {_HUFFMAN, 0xC8, _ARITHMETIC}
_NEEDED = _FRAMES | {_HUFFMAN, _ARITHMETIC, _QUANTISATION, _RESTARTS}
_WITHOUT_LENGTH = {0x00, 0x01, *range(0xD0, 0xD9)}
# What decides about colours and orientation: how its segment starts, and how long it is at least.
_METADATA = {0xE0: (b"JFIF\0", 16), 0xE1: (b"Exif\0\0", 16), 0xEE: (b"Adobe", 14)}
# Decoders fill missing pixels with this, in every colour space.
_GREY = {127, 128}


def strip(data: bytes) -> bytes:
    """The first picture of a file: its tables, frame and scans, JFIF, Exif and Adobe segments."""
    kept: dict[int, bytes] = {}
    parts: list[bytes] = []
    for marker, start, end in _segments(data):
        segment = data[start:end]
        if marker == _SOS[1]:
            stop = data.find(_EOI, end)
            scans = data[start:] if stop < 0 else data[start : stop + 2]
            return b"".join([data[:2], *kept.values(), *parts, scans])
        if marker in _NEEDED:
            parts.append(segment)
        elif marker in _METADATA:
            signature, least = _METADATA[marker]
            if segment[4:].startswith(signature) and len(segment) >= least:
                kept.setdefault(marker, segment)
    return data


def complete(data: bytes) -> bytes:
    """A lean file with its end marker; ImageError if scans or pixels are missing before it."""
    if data.endswith(_EOI):
        return data
    if not _has_all_scans(data) or _needs_more(data):
        raise damaged()
    return data.rstrip(b"\xff") + _EOI


def lacks_pixels(data: bytes, image: Image.Image) -> bool:
    """Whether a lean file, decoded as `image`, is truncated: its end marker was added here."""
    last = image.getpixel((image.width - 1, image.height - 1))
    grey = {*last} <= _GREY if isinstance(last, tuple) else last in _GREY
    return (grey or not _has_all_scans(data)) and _needs_more(data.removesuffix(_EOI))


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment up to the first scan's header, found as libjpeg does:
    what is between segments is skipped."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        elif marker == _EOI[1]:
            return
        else:
            end = at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
            yield marker, at, end
            if marker == _SOS[1]:
                return
            at = end


def _needs_more(data: bytes) -> bool:
    """Whether the decoder would use what follows, be it pixels or a restart marker and pixels."""
    data = data.rstrip(b"\xff")
    noise = np.random.default_rng(0).integers(128, 255, (16, 64), np.uint8)
    more = b"".join(row.tobytes() + bytes([0xFF, 0xD0 + n % 8]) for n, row in enumerate(noise))
    return not np.array_equal(_pixels(data + _EOI), _pixels(data + more + _EOI))


def _pixels(data: bytes) -> np.ndarray:
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        return np.asarray(image)


def _has_all_scans(data: bytes) -> bool:
    """Whether the scans' headers name every coefficient of every component to its last bit."""
    components: list[int] = []
    scan = -1
    for marker, start, end in _segments(data):
        if marker in _FRAMES:
            components = [*data[start + 10 : end : 3]]
        elif marker == _SOS[1]:
            scan = start
    lowest: dict[tuple[int, int], int] = {}
    while scan >= 0:
        count = data[scan + 4] if scan + 4 < len(data) else 0
        rest = data[scan + 5 + 2 * count : scan + 8 + 2 * count]
        if len(rest) == 3:
            for component in data[scan + 5 : scan + 5 + 2 * count : 2]:
                lowest |= {(component, k): rest[2] & 15 for k in range(rest[0], rest[1] + 1)}
        scan = data.find(_SOS, scan + 2)
    return bool(components) and all(lowest.get((c, k)) == 0 for c in components for k in range(64))
