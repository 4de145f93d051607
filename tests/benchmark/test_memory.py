"""Peak memory: of a process itself, not of the one that started it."""

import subprocess
import sys

import numpy as np
import pytest

from kpdemo.benchmark.memory import peak_mib

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Reads /proc.")


def test_a_large_process_does_not_count_in_a_small_one() -> None:
    large = np.ones(1 << 30, np.uint8)
    script = "from kpdemo.benchmark.memory import peak_mib; print(peak_mib())"
    small = int(subprocess.check_output([sys.executable, "-c", script]))
    assert small < large.nbytes >> 20 < peak_mib()


def test_another_process_is_asked_by_its_number() -> None:
    script = "large = bytearray(b'1') * (300 << 20); del large; print(flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script], **pipes) as process:
        assert process.stdin and process.stdout
        process.stdout.readline()
        assert 300 < peak_mib(process.pid) < 400
        process.stdin.write(b"\n")
