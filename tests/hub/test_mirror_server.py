"""A mirror of the Hub that others wrote (olah), between this project and the Hub of the tests; it reads by ranges."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from made.hub import hub_of, running

MISSING = importlib.util.find_spec("olah") is None


@contextmanager
def mirror_of(url: str, folder: Path) -> Iterator[str]:
    """Run the mirror; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    there, here = url.removeprefix("http://"), f"127.0.0.1:{port}"
    options = {"host": "127.0.0.1", "port": str(port), "repos-path": str(folder / "repos"), "log-path": str(folder)}
    options |= {"hf-scheme": "http", "hf-netloc": there, "hf-lfs-netloc": there}
    options |= {"mirror-scheme": "http", "mirror-netloc": here, "mirror-lfs-netloc": here}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    command = [sys.executable, "-m", "olah.server", *words]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        for _ in range(120):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.25)
        yield f"http://{here}"
    finally:
        server.terminate()
        server.wait()


@pytest.mark.slow
@pytest.mark.skipif(MISSING, reason="the mirror is not installed: pip install olah")
def test_a_checkpoint_is_loaded_through_a_mirror(tiny_checkpoint: Path, tmp_path: Path) -> None:
    hub, commit = hub_of(tiny_checkpoint / "mlp.tiny")
    with running(hub) as url, mirror_of(url, tmp_path) as mirror:
        settings = {**os.environ, "HF_ENDPOINT": mirror, "ZOO_CACHE": str(tmp_path / "cache")}
        command = [sys.executable, "-m", "zoo.cli", "verify", f"hf-hub:org/repo@{commit}", "hf-hub:org/repo@main"]
        done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.count("reproduced")) == (0, 2), done.stderr
    assert done.stderr.count("may move") == 1
    assert hub.sent("GET", "/resolve/")
