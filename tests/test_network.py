"""No word to anyone: real runs of the page and of the shell, and every address they speak to."""

import ipaddress
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gradio_client import Client, handle_file

from kpdemo.benchmark.server import ROOT, serve_page
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

SOURCE = Path(__file__).with_name("network") / "recorder.c"
# MediaPipe from 0.10.35 on reports when a task is closed, or within a minute of its first use.
LATE = 5.0

SPEAK = """
import ctypes, socket
try:
    socket.getaddrinfo("a.invalid", 443)
except OSError:
    pass
for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            one.connect((address, 9))
    except OSError:
        pass
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            one.sendto(b"word", (address, 9))
    except OSError:
        pass
libc = ctypes.CDLL("libc.so.6")  # whose functions dlsym hands out
libc.gethostbyname(b"b.invalid")
here, there = socket.socketpair()
here.send(b"word")
"""


@pytest.fixture(scope="module")
def recorder(tmp_path_factory) -> Path:
    """A library that, preloaded, records what its program speaks to."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("There is no C compiler (apt install gcc): who is spoken to is not recorded.")
    library = tmp_path_factory.mktemp("recorder") / "recorder.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library


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


def test_the_recorder_misses_no_way_to_speak(recorder, tmp_path):
    log = tmp_path / "log"
    environment = os.environ | recording(recorder, log)
    subprocess.run([sys.executable, "-c", SPEAK], env=environment, check=True, timeout=300)
    assert sorted(log.read_text().splitlines()) == [
        "connect 192.0.2.1",
        "connect 2001:db8::1",
        "getaddrinfo a.invalid",
        "gethostbyname b.invalid",
        "sendto 192.0.2.1",
        "sendto 2001:db8::1",
    ]
    assert elsewhere({"127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost"}) == set()
    assert elsewhere({"::ffff:192.0.2.1", "play.googleapis.com"})


def test_nobody_is_told_of_a_comparison(recorder, tmp_path, hopper_path):
    page, shell = tmp_path / "page", tmp_path / "shell"
    with serve_page(tmp_path, **recording(recorder, page)) as url, ThreadPoolExecutor(1) as pool:
        program = pool.submit(
            subprocess.run,
            [sys.executable, "-m", "kpdemo", hopper_path],
            cwd=ROOT,
            env=os.environ | recording(recorder, shell),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        client = Client(url, verbose=False, analytics_enabled=False)
        result = client.predict(handle_file(hopper_path), api_name="/compare")
        compared = time.monotonic()
        assert list(result["faces"][0]["models"]) == [*DEFAULT_MODELS, BASELINE]
        done = program.result()
        assert done.returncode == 0 and BASELINE in done.stdout, done.stdout
        client.close()
        time.sleep(max(0.0, compared + LATE - time.monotonic()))
    # Both have closed their tasks and ended.
    assert spoken_to(page)  # the page answered somebody, or looked its own address up
    assert elsewhere(spoken_to(page)) == set()
    assert elsewhere(spoken_to(shell)) == set()


def test_ray_asks_only_whether_it_is_in_a_cloud(recorder, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed (kpdemo[archive]).")
    log = tmp_path / "log"
    program = (
        "from kpdemo.archive.archive import Workers, connected, ray\n"
        "with connected(Workers(1, 1)): assert ray.data.range(3).count() == 3"
    )
    environment = os.environ | recording(recorder, log)
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True)
    # 8.8.8.8 is only a route that it looks up, and 0.0.0.0 is this machine.
    cloud = {"169.254.169.254", "metadata.google.internal"}
    assert elsewhere(spoken_to(log)) <= {*cloud, "8.8.8.8", "0.0.0.0"}
