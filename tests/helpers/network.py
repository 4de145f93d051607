"""What a program speaks to, as a library records it that is preloaded."""

import ipaddress
import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "network" / "recorder.c"


def build(library: Path) -> bool:
    """Compile the recorder; False where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        return False
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return True


def recording(library: Path, log: Path) -> dict[str, str]:
    """The variables of a program whose names and addresses go to `log`."""
    log.touch()
    preload = ":".join(filter(None, [str(library), os.environ.get("LD_PRELOAD")]))
    return {"LD_PRELOAD": preload, "KPDEMO_NETWORK_LOG": str(log)}


def spoken_to(log: Path) -> set[str]:
    return {line.partition(" ")[2] for line in log.read_text().splitlines()}


def elsewhere(names: set[str]) -> set[str]:
    """Those that are not this machine."""
    return {name for name in names if name != "localhost" and not _loopback(name)}


def _loopback(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
