"""A PostgreSQL server of the tests' own: in a folder that goes away, on a port that nobody else has."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


def programs() -> Path:
    """Where initdb and postgres are; the test is skipped where they are not."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path))
    if not found:
        pytest.skip("no PostgreSQL server is installed (Debian: postgresql)")
    return found[-1].parent


@dataclass(frozen=True)
class Server:
    """A server that is running; ``url`` is its address as ``--storage`` takes it."""

    url: str
    control: tuple[str | Path, ...]
    options: tuple[str | Path, ...]

    def start(self) -> None:
        """Start it, and wait until it answers."""
        _run([*self.control, *self.options, "start"])

    def stop(self, how: str = "fast") -> None:
        """Stop it, its connections too."""
        _run([*self.control, "-m", how, "stop"])


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a running server."""
    with postgres_server() as server:
        yield server.url


@contextmanager
def postgres_server() -> Iterator[Server]:
    """A running server, which may be stopped and started."""
    pytest.importorskip("psycopg", reason="bnnsim[postgres] is not installed")
    bin_ = programs()
    as_user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        if shutil.which("runuser") is None or not _has_user("postgres"):
            pytest.skip("running as root without a user postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    # Not pytest's folder: another user has to get in, and another session may clear it away.
    with tempfile.TemporaryDirectory(prefix="bnnsim-postgres-", ignore_cleanup_errors=True) as name:
        data = Path(name)
        if as_user:
            shutil.chown(data, "postgres")
        _run([*as_user, bin_ / "initdb", "-D", data, "-U", "bnnsim", "-A", "trust", "--no-sync"])
        port = _free_port()
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": data,
            "fsync": "off",
        }
        options = " ".join(f"-c {key}={value}" for key, value in settings.items())
        server = Server(
            f"postgresql://bnnsim@127.0.0.1:{port}/postgres",
            (*as_user, bin_ / "pg_ctl", "-D", data, "-w"),
            ("-l", data / "log", "-o", options),
        )
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def _run(command: list[str | Path]) -> None:
    # Not captured: the server would hold the pipe open.
    subprocess.run(
        command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _has_user(name: str) -> bool:
    import pwd

    return any(entry.pw_name == name for entry in pwd.getpwall())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
