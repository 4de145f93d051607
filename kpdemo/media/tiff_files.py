"""TIFF files: which of their pages is the photo.

A page is one image file directory. Pages follow each other in a chain, and each may have further
ones below it (SubIFDs), as raw photos and editors write them. Some writers also leave a last page
unlinked: a whole TIFF file behind the first one.
"""

import struct
import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from kpdemo.media.image_error import ImageError, damaged

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_MOST_PAGES, _MOST_FILES = 1000, 16
_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC = 254, 255, 256, 257, 258, 262
_SAMPLES, _PLANES, _CHILDREN = 277, 284, 330
_REDUCED, _PAGE, _MASK = 1, 2, 4
_SEPARATE = 2
# The old tag counts: 1 the photo, 2 a smaller version, 3 one page of many.
_OLD = {2: _REDUCED, 3: _PAGE}
_WHITE_IS_ZERO, _RGB, _TRANSPARENCY, _SENSOR, _LINEAR_SENSOR = 0, 2, 4, 32803, 34892
# A first page is a preview of a later one that is this many times as wide, and of its shape.
_LARGER, _SHAPE = 2, 0.02
_ALIGNED = 16


@dataclass(frozen=True)
class Page:
    """A page by its tags: `kind` is the bits of NewSubfileType, `bits` the most of any sample.

    Its directory lies `offset` bytes behind the header of its TIFF file, which lies at `file`.
    """

    file: int
    offset: int
    kind: int
    width: int
    height: int
    bits: int
    samples: int
    photometric: int
    planes: int

    @property
    def is_deep_colour(self) -> bool:
        """Whether Pillow would keep only the high byte of its samples, or refuse it."""
        deep = self.bits > 8 and self.photometric == _RGB and self.samples in (3, 4)
        return deep or self.bits > 32

    @property
    def is_inverted(self) -> bool:
        """Whether the lowest value is white, which Pillow heeds in 8 bits and fewer alone."""
        return self.photometric == _WHITE_IS_ZERO and self.bits > 8


def photo(data: bytes) -> tuple[bytes, Page]:
    """The file with the photo as its first page, and that page.

    Of the pages that are neither smaller versions nor masks it is the first, unless a later one is
    the same picture, larger. Raises ImageError for sensor data and for a file without pages.
    """
    pages = [page for page in _all_pages(data) if page.width > 0 and page.height > 0]
    pictures = [p for p in pages if not p.kind & _MASK and p.photometric != _TRANSPARENCY]
    full = [page for page in pictures if not page.kind & _REDUCED]
    if not pictures:
        raise damaged()
    page = full[0] if full else max(pictures, key=lambda p: p.width * p.height)
    if not page.kind & _PAGE:
        page = max((p for p in full if _is_preview(page, p)), key=lambda p: p.width, default=page)
    if data[8:10] == b"CR" or page.photometric in (_SENSOR, _LINEAR_SENSOR):
        raise ImageError(
            "This is a raw photo (such as DNG, NEF or CR2), of which only a preview can be read "
            "here; export it as JPEG and upload that."
        )
    if page.is_deep_colour and page.planes == _SEPARATE:
        raise ImageError(
            "This TIFF keeps each colour in a plane of its own, in more than 8 bits, which cannot "
            "be read here; save it as PNG or JPEG and upload that."
        )
    return _starting_at(data[page.file :], page.offset), page


def _is_preview(page: Page, other: Page) -> bool:
    ratio = (page.width / page.height) / (other.width / other.height)
    return other.width >= _LARGER * page.width and abs(ratio - 1) <= _SHAPE


def _all_pages(data: bytes) -> list[Page]:
    """The pages of the file, then those of the TIFF files behind it, which writers align."""
    pages, signature, at = _pages(data, 0), data[:4], 0
    for _ in range(_MOST_FILES):
        at = data.find(signature, at + 4)
        if at < 0:
            break
        if at % _ALIGNED == 0:
            pages += _pages(data[at:], at)
    return pages


def _pages(data: bytes, file: int) -> list[Page]:
    """The pages of one TIFF file in the order of the chain, each before those below it."""
    pages: list[Page] = []
    header = data[:16] if _is_big(data) else data[:8]
    if len(data) < 16:
        return pages
    waiting, visited = [ImageFileDirectory_v2(header).next], {0}
    while waiting and len(pages) < _MOST_PAGES:
        offset = waiting.pop()
        if offset in visited or offset >= len(data):
            continue
        visited.add(offset)
        tags, stream = ImageFileDirectory_v2(header), BytesIO(data)
        stream.seek(offset)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tags.load(stream)
                pages.append(_page(file, offset, tags))
                children = tags.get(_CHILDREN, ())
        except Exception:  # a broken directory ends its chain, not the others
            continue
        below = [children] if isinstance(children, int) else [*children]
        waiting += [tags.next, *reversed(below)]
    return pages


def _page(file: int, offset: int, tags: ImageFileDirectory_v2) -> Page:
    def number(tag: int, default: int) -> int:
        value = tags.get(tag, default)
        if isinstance(value, tuple):
            value = max(value, default=default)
        return value if isinstance(value, int) else default

    kind = number(_SUBFILE, 0) or _OLD.get(number(_OLD_SUBFILE, 0), 0)
    size = number(_WIDTH, 0), number(_HEIGHT, 0)
    tags_of_samples = _BITS, _SAMPLES, _PHOTOMETRIC, _PLANES
    return Page(file, offset, kind, *size, *(number(tag, 1) for tag in tags_of_samples))


def _is_big(data: bytes) -> bool:
    return b"+" in data[2:4]


def _starting_at(data: bytes, offset: int) -> bytes:
    order = "<" if data.startswith(b"II") else ">"
    at, size = (8, "Q") if _is_big(data) else (4, "L")
    first = struct.pack(order + size, offset)
    return data[:at] + first + data[at + len(first) :]
