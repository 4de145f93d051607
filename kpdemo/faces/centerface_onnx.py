"""CenterFace's ONNX file for ONNX Runtime, which is stricter than OpenCV.

The file names its tensors among its inputs, as if callers could replace them, and fixes the size
of the picture. Both are edited in the bytes of the file, since no package that could do it is
needed otherwise.
"""

from collections.abc import Callable, Iterator

# Numbers of fields in ONNX's protocol buffers.
_GRAPH, _INPUT, _OUTPUT, _TYPE, _TENSOR, _SHAPE, _DIM = 7, 11, 12, 2, 1, 2, 1
_BYTES = 2  # the wire type of what has a length


def any_size(model: bytes) -> bytes:
    """The same net for a picture `(N, 3, H, W)` of any size, with its weights as constants."""
    return _edited(model, _GRAPH, _graph)


def _graph(graph: bytes) -> bytes:
    parts, has_input = [], False
    for number, field, content in _fields(graph):
        if number == _INPUT and has_input:
            continue  # a tensor of the net
        has_input |= number == _INPUT
        parts.append(
            _field(number, _value_of_any_size(content)) if number in (_INPUT, _OUTPUT) else field
        )
    return b"".join(parts)


def _value_of_any_size(value: bytes) -> bytes:
    """An input or output without its dimensions, but with their number and the channels."""

    def shape(content: bytes) -> bytes:
        dims = [field for number, field, _ in _fields(content) if number == _DIM]
        unknown = _field(_DIM, b"")
        return b"".join([unknown, dims[1], unknown, unknown])

    return _edited(
        value,
        _TYPE,
        lambda kind: _edited(kind, _TENSOR, lambda tensor: _edited(tensor, _SHAPE, shape)),
    )


def _edited(message: bytes, wanted: int, edit: Callable[[bytes], bytes]) -> bytes:
    return b"".join(
        _field(number, edit(content)) if number == wanted else field
        for number, field, content in _fields(message)
    )


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each field's number, its bytes with the tag, and, where it has a length, its content."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        content = b""
        if tag & 7 == _BYTES:
            size, at = _varint(message, at)
            content = message[at : at + size]
            at += size
        elif tag & 7 == 0:
            _, at = _varint(message, at)
        else:
            at += 8 if tag & 7 == 1 else 4
        yield tag >> 3, message[start:at], content


def _field(number: int, content: bytes) -> bytes:
    return _as_varint(number << 3 | _BYTES) + _as_varint(len(content)) + content


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _as_varint(value: int) -> bytes:
    parts = []
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
