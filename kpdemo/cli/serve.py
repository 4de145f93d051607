"""`python -m kpdemo serve`: start the page."""

from argparse import ArgumentParser
from collections.abc import Sequence

from kpdemo import runtime

DESCRIPTION = "Start the page, as `python app.py` does."


def run(parser: ArgumentParser, arguments: Sequence[str]) -> int:
    """Serve the page until the process is terminated."""
    parser.parse_args(arguments)
    runtime.serve()
    return 0
