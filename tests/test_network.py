"""No word to anyone: real runs of the page and of the shell, and every address they speak to."""

import os
import subprocess
import sys

import numpy as np
import pytest
from gradio_client import Client, handle_file
from helpers.network import elsewhere, recording, spoken_to
from models import test_external_onnx as onnx_files

from kpdemo.benchmark.server import ROOT
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

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


def test_nobody_is_told_of_a_comparison(recorder, address, app_folder, tmp_path, hopper_path):
    client = Client(address, verbose=False, analytics_enabled=False)
    result = client.predict(handle_file(hopper_path), api_name="/compare")
    assert list(result["faces"][0]["models"]) == [*DEFAULT_MODELS, BASELINE]
    client.close()
    # The page answered somebody, or looked its own address up; once it has ended, its fixture looks
    # at the log again.
    names = spoken_to(app_folder / "network")
    assert names and elsewhere(names) == set()

    log, net = tmp_path / "log", onnx_files.constant(tmp_path, np.zeros((15, 2)))
    done = subprocess.run(
        [sys.executable, "-m", "kpdemo", hopper_path, "--models", *DEFAULT_MODELS, BASELINE, net],
        cwd=ROOT,
        env=os.environ | recording(recorder, log),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0 and BASELINE in done.stdout, done.stdout
    assert elsewhere(spoken_to(log)) == set()


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
