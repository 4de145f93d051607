"""The memory that a process has used."""

import re
from pathlib import Path


def peak_mib(process: int | str = "self") -> int:
    """A running process's peak memory in MiB, by its number (Linux).

    `resource.getrusage` tells more than that where a large process started it: on Linux a program
    begins with the peak of the process that it was forked from.
    """
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert peak, "a running process has a peak"
    return int(peak[1]) // 1024
