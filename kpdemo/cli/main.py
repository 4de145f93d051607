"""The command line `python -m kpdemo`: which command runs, and how errors end."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from kpdemo import runtime
from kpdemo.cli import archive as archive_command
from kpdemo.cli import browser as browser_command
from kpdemo.cli import compare as compare_command
from kpdemo.cli import evaluate as evaluate_command
from kpdemo.engine.engine import engine
from kpdemo.engine.store import model_folders
from kpdemo.models import hub, onnx
from kpdemo.models.checkpoint import Model, load_pulled
from kpdemo.models.hub_errors import HubError, NoRepository
from kpdemo.models.onnx import ExportError
from kpdemo.system import files

_EPILOG = """other commands (each has its own --help):
  python -m kpdemo archive SOURCE OUT
  python -m kpdemo evaluate FOLDER
  python -m kpdemo export MODEL --onnx OUT.onnx
  python -m kpdemo pull [MODEL …] [--namespace NAME]
  python -m kpdemo browser [--from FOLDER]
  python -m kpdemo serve"""


class Parser(argparse.ArgumentParser):
    """Ends bad usage with one sentence and status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help lists the options)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0 if all went well, 1 if something could not be used, 2 for bad usage, 130 if interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    command = COMMANDS.get(arguments[0]) if arguments else None
    for stream in (sys.stdout, sys.stderr):
        # A file's name may have characters that the terminal cannot encode.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return command(arguments[1:]) if command else compare(arguments)
    except BrokenPipeError:
        # The reader has closed standard output; Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def compare(arguments: list[str]) -> int:
    """`python -m kpdemo compare PHOTO`, or without `compare`."""
    parser = Parser(
        prog="python -m kpdemo",
        description="Where different neural networks put the facial keypoints of a photo.",
        epilog=f"{compare_command.LIMITS}\n\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return compare_command.run(parser, arguments)


def archive(arguments: list[str]) -> int:
    """`python -m kpdemo archive SOURCE OUT`: millions of photos, with Ray."""
    parser = Parser(
        prog="python -m kpdemo archive",
        description=archive_command.DESCRIPTION,
        epilog=archive_command.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return archive_command.run(parser, arguments)


def evaluate(arguments: list[str]) -> int:
    """`python -m kpdemo evaluate FOLDER`: errors on labelled faces."""
    parser = Parser(
        prog="python -m kpdemo evaluate",
        description=evaluate_command.DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return evaluate_command.run(parser, arguments)


def export_net(arguments: list[str]) -> int:
    """A model as a file for ONNX Runtime and other programs."""
    parser = Parser(prog="python -m kpdemo export", description=onnx.__doc__)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--onnx", type=Path, metavar="OUT.onnx", required=True)
    options = parser.parse_args(arguments)
    weights = [path for folder in model_folders() for path in folder.glob("*")]
    files.check_outputs([options.onnx], weights)
    print(onnx.export(_net(options.model), options.onnx))
    return 0


def _net(name: str) -> Model:
    """The net of that name; ExportError if there is none, CheckpointError if it is damaged."""
    store = engine().store
    if name in store.unavailable:
        raise ExportError(store.unavailable[name])
    if name not in store.names:
        raise ExportError(f"There is no net {name} to export; there are {', '.join(store.names)}.")
    return store.model(name)


def pull(arguments: list[str]) -> int:
    """`python -m kpdemo pull`: fetch the pinned weights from the Hub, else the newest ones."""
    parser = Parser(prog="python -m kpdemo pull", description=pull.__doc__)
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
    lines = list(_pulled((name for name in names if name not in missing), pulled, errors))
    for good, line in lines:
        print(line, file=sys.stdout if good else sys.stderr)
    if missing:
        print(f"Not on the Hub, and taken from this copy: {', '.join(missing)}", file=sys.stderr)
    return 0 if lines and all(good for good, _ in lines) else 1


def browser(arguments: list[str]) -> int:
    """`python -m kpdemo browser`: fetch what the page needs to run the models in a browser."""
    parser = Parser(prog="python -m kpdemo browser", description=browser_command.DESCRIPTION)
    return browser_command.run(parser, arguments)


def start_page(arguments: list[str]) -> int:
    """`python -m kpdemo serve`: start the page, as `python app.py` does."""
    Parser(prog="python -m kpdemo serve", description=start_page.__doc__).parse_args(arguments)
    runtime.serve()
    return 0


def _pulled(
    models: Iterable[str], pulled: Mapping[str, hub.Pulled], errors: Mapping[str, HubError]
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


# By the first word; a photo of that name is written ./export.
COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "archive": archive,
    "browser": browser,
    "compare": compare,
    "evaluate": evaluate,
    "export": export_net,
    "pull": pull,
    "serve": start_page,
}
