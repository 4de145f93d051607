"""WebP files: the chunks that decoders need."""

import struct

_PIXELS = {b"VP8 ", b"VP8L", b"ALPH", b"ANIM"}
_HEADER, _FRAME, _EXIF = b"VP8X", b"ANMF", b"EXIF"


def is_webp(data: bytes) -> bool:
    """Whether a file begins as a WebP."""
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def strip(data: bytes) -> bytes:
    """The still picture or the first frame, with Exif if it is complete; lengths corrected.

    Colour profiles, XMP, unknown chunks, further frames and what follows the file are left out.
    """
    parts, animated, at = [b"WEBP"], False, 12
    while at + 8 <= len(data):
        kind = data[at : at + 4]
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + length
        whole = end <= len(data)
        chunk = data[at:end] + b"\0" * (whole and length % 2)
        if kind in (*_PIXELS, _HEADER) or (kind == _EXIF and whole):
            parts.append(chunk)
        elif kind == _FRAME and not animated:
            animated = True
            parts.append(chunk)
        at = end + length % 2
    body = b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body
