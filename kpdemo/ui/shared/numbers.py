"""Numbers as the page writes them."""


def count(value: float) -> str:
    """A number of parameters: 5.9 M, 313.9 k, 870."""
    if value >= 1e6:
        return f"{value / 1e6:.1f} M"
    return f"{value / 1e3:.1f} k" if value >= 1e3 else f"{value:.0f}"
