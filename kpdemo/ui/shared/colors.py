"""Models' colours as CSS."""

from kpdemo import zoo


def css(rgb: zoo.Color, opacity: float = 1.0) -> str:
    """An RGB colour as CSS."""
    return "rgba({}, {}, {}, {})".format(*rgb, opacity)


def css_color(model: str) -> str:
    """A model's colour as CSS."""
    return "#{:02x}{:02x}{:02x}".format(*zoo.color(model))


def swatch(model: str) -> str:
    """HTML of a small patch of a model's colour."""
    return f'<i class="kp-swatch" style="background:{css_color(model)}"></i>'
