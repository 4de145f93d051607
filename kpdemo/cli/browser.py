"""`python -m kpdemo browser`: fetch what the page needs to run the models in a browser."""

from argparse import ArgumentParser
from pathlib import Path

from kpdemo.models import browser_runtimes

DESCRIPTION = (
    "Fetch the runtimes with which the page runs the models in the visitor's own browser "
    f"({' and '.join(browser_runtimes.PACKAGES)}, {browser_runtimes.BYTES / 1e6:.0f} MB) into the "
    "user's cache, once, and say what is there."
)


def run(parser: ArgumentParser, arguments: list[str]) -> int:
    """Run the command; returns the exit status. Raises RuntimesError."""
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER",
        help="a folder with the files, or with the archives of `npm pack` (default: run npm)",
    )
    options = parser.parse_args(arguments)
    if browser_runtimes.missing():
        browser_runtimes.fetch(options.source)
    print(browser_runtimes.report())
    return 0
