"""A model folder's `config.json`: what is needed to rebuild and feed the net, and no more."""

import dataclasses
import math
import reprlib
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar


class Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


T = TypeVar("T", bound=Dataclass)

VERSION = 1
MAX_SIDE = 4096  # pixels of an input
# The largest number in a net's arguments: widths and depths beyond it only fill the memory.
MAX_ARGUMENT = 2**16


class ConfigError(ValueError):
    """A config or recipe that cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Input:
    """A net's input picture: size in pixels, 1 (grey) or 3 (RGB) channels, and scaling."""

    height: int
    width: int
    channels: int = 1
    mean: float = 0.5
    std: float = 0.25

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a crop, `(H, W)` or `(H, W, 3)`."""
        return (self.height, self.width) + ((3,) if self.channels == 3 else ())

    def __post_init__(self) -> None:
        if self.channels not in (1, 3) or min(self.height, self.width) < 1 or not self.std > 0:
            raise ConfigError("an input has pixels, 1 or 3 channels, and a std above 0.")
        if max(self.height, self.width) > MAX_SIDE:
            raise ConfigError(f"an input has at most {MAX_SIDE} pixels a side.")


@dataclass(frozen=True)
class Framing:
    """A net's crop: one of `kpdemo.models.crop_rules.REFERENCES`, scaled."""

    reference: str = "keypoint-box"
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ConfigError(f"a framing's scale is above 0, not {self.scale}.")


@dataclass(frozen=True)
class ExpectedError:
    """What `kpdemo.models.predict.expected_error` knows of a net's errors on held-out faces.

    The logarithm of a point's expected error, in percent of the eye distance, is its level plus the
    sum of the net's two signals (`kpdemo.models.predict.error_signals`) times the slopes.
    """

    levels: tuple[float, ...]
    slopes: tuple[float, float]


@dataclass(frozen=True)
class ModelConfig:
    """A net by its registered name and arguments, its markup, input and framing.

    With the `flip_test` its prediction is averaged with that for the mirrored crop.
    `expected_error` is None where it was not fitted (`python -m train expect`).
    """

    net: str
    markup: str
    input: Input
    framing: Framing = Framing()
    args: Mapping[str, Any] = field(default_factory=dict)
    flip_test: bool = True
    expected_error: ExpectedError | None = None
    version: int = VERSION

    def __post_init__(self) -> None:
        if any(abs(number) > MAX_ARGUMENT for number in _numbers(self.args)):
            raise ConfigError(f"args: a number is larger than {MAX_ARGUMENT}.")


def from_dict(cls: type[T], data: Any, where: str) -> T:
    """Build a frozen dataclass (and those inside it) from plain data, refusing unknown keys.

    `where` names the file in messages. Raises ConfigError for unknown or missing keys and for
    values of the wrong type.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{where}: expected a mapping of settings, got {in_short(data)}.")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    if unknown := sorted(in_short(key).strip("'") for key in data if key not in fields):
        raise ConfigError(
            f"{where}: unknown key {', '.join(unknown[:5])}; known are {', '.join(fields)}."
        )
    required = dataclasses.MISSING
    missing = [
        name
        for name, f in fields.items()
        if f.default is required and f.default_factory is required and name not in data
    ]
    if missing:
        raise ConfigError(f"{where}: missing {', '.join(missing)}.")
    hints = typing.get_type_hints(cls)
    values = {key: _value(hints[key], value, f"{where}: {key}") for key, value in data.items()}
    try:
        return cls(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def in_short(value: Any) -> str:
    """A value for a message: on one line, and never long."""
    return reprlib.repr(value)


def _numbers(value: Any) -> Iterator[float]:
    """All numbers in plain data."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, int | float) and math.isfinite(value):
        yield value


def _value(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in args:
            return None
        return _value(next(a for a in args if a is not type(None)), value, where)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where)
    if origin is tuple and isinstance(value, list | tuple):
        inner = args[:1] * len(value) if args[-1] is ... else args
        if len(inner) == len(value):
            return tuple(
                _value(h, v, f"{where}[{i}]")
                for i, (h, v) in enumerate(zip(inner, value, strict=True))
            )
    elif origin is not None:
        if isinstance(value, origin):
            return value
    elif hint is float and type(value) in (int, float):
        return float(value)
    elif type(value) is hint:
        return value
    kind = getattr(hint, "__name__", hint)
    raise ConfigError(f"{where}: {in_short(value)} is not of the kind {kind}.")
