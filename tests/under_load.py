"""`python tests/under_load.py [--times 3] [PYTEST ARGUMENTS]`: the tests on a busy machine.

Runs the README's test command so many times, with a loop that does nothing beside it on each core.
Its status is the number of runs that failed.
"""

import argparse
import multiprocessing
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def spin(parent: int) -> None:
    while os.getppid() == parent:
        pass


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--times", type=int, default=3)
    options, more = parser.parse_known_args()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (arguments,) = re.findall(r"\.venv/bin/python -m (pytest .*)", readme)
    command = [sys.executable, "-m", *shlex.split(arguments), *more]
    cores = os.cpu_count() or 1
    loops = [multiprocessing.Process(target=spin, args=(os.getpid(),)) for _ in range(cores)]
    for loop in loops:
        loop.start()
    codes = [subprocess.run(command, cwd=ROOT).returncode for _ in range(options.times)]
    for loop in loops:
        loop.terminate()
    failures = sum(code != 0 for code in codes)
    print(f"{failures} of {options.times} runs failed.")
    return failures


if __name__ == "__main__":
    sys.exit(main())
