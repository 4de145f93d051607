"""The command line `python -m kpdemo`: which command runs, and how errors end."""

import argparse
import io
import os
import sys
from typing import NoReturn

from kpdemo.cli import archive, browser, compare, evaluate, export, pull, serve

# Modules by the first word, each with a DESCRIPTION and `run`. A photo of that name is ./export.
COMMANDS = {
    "archive": archive,
    "browser": browser,
    "compare": compare,
    "evaluate": evaluate,
    "export": export,
    "pull": pull,
    "serve": serve,
}


class Parser(argparse.ArgumentParser):
    """Ends bad usage with one sentence and status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help lists the options)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0 if all went well, 1 if something could not be used, 2 for bad usage, 130 if interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        # A file's name may have characters that the terminal cannot encode.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments)
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


def _run(arguments: list[str]) -> int:
    named = bool(arguments) and arguments[0] in COMMANDS
    name = arguments[0] if named else "compare"
    command = COMMANDS[name]
    parser = Parser(
        prog="python -m kpdemo" if name == "compare" else f"python -m kpdemo {name}",
        description=command.DESCRIPTION,
        epilog=getattr(command, "EPILOG", None),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return command.run(parser, arguments[1:] if named else arguments)
