"""`python -m kpdemo pull`: fetch weights from the Hugging Face Hub."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kpdemo.engine.store import model_folders
from kpdemo.models import hub
from kpdemo.models.checkpoint import load_pulled
from kpdemo.models.hub_errors import HubError, NoRepository

DESCRIPTION = "Fetch the pinned weights from the Hugging Face Hub, or else the newest ones."


def run(parser: ArgumentParser, arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="which models (default: all of this copy that are on the Hub)",
    )
    parser.add_argument(
        "--namespace",
        metavar="NAME",
        default=os.environ.get(hub.VARIABLE),
        help=f"whose repositories (default: the environment's {hub.VARIABLE})",
    )
    options = parser.parse_args(arguments)
    if not options.namespace:
        print(f"Say whose weights, with --namespace NAME or {hub.VARIABLE}=NAME.", file=sys.stderr)
        return 1
    names = options.models or [folder.name for folder in model_folders()]
    pulled, errors = hub.pull(options.namespace, names)
    missing = [
        name
        for name, error in errors.items()
        if isinstance(error, NoRepository) and not options.models
    ]
    lines = list(_lines((name for name in names if name not in missing), pulled, errors))
    for good, line in lines:
        print(line, file=sys.stdout if good else sys.stderr)
    if missing:
        print(f"Not on the Hub, and taken from this copy: {', '.join(missing)}", file=sys.stderr)
    return 0 if lines and all(good for good, _ in lines) else 1


def _lines(
    models: Iterable[str], pulled: Mapping[str, hub.PulledFiles], errors: Mapping[str, HubError]
) -> Iterator[tuple[bool, str]]:
    """For each model whether the pinned or newest weights are usable, and a line on it."""
    for name in models:
        try:
            if name in errors:
                raise errors[name]
            load_pulled(pulled[name])
        except HubError as error:
            yield False, f"{name}: {error}"
        else:
            stale = pulled[name].stale
            note = f", as pulled before: {stale}" if stale else ""
            yield stale is None, f"{name}: {pulled[name].origin}{note}"
