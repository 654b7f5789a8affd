"""A real server in a process of its own, on a free loopback port and a database of its own, for tests from outside."""

from __future__ import annotations

import json
import os
import secrets
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

START_TIMEOUT = 120
STOP_TIMEOUT = 60
"""Seconds after which something is stuck, on a machine that is busy with much else."""

PORTS = range(10240, 32768)
"""Those that nobody gets who did not ask for one: the kernel gives the ones above to whoever connects somewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProcess:
    """A running server. `config` is its file, so that commands can be run on the same database."""

    issuer: str
    config: Path
    log: Path
    process: subprocess.Popen[bytes]
    environ: dict[str, str] = field(repr=False)
    trusted: Path | None = None
    """The certificate by which it is known, where it speaks https."""

    @property
    def verify(self) -> ssl.SSLContext | bool:
        """What a client of httpx must be told to trust it."""
        return ssl.create_default_context(cafile=str(self.trusted)) if self.trusted else True

    def command(self, *arguments: str) -> Any:
        """Run `everbearer ... --json` at this server's desk and return what it says."""
        command = [sys.executable, "-m", "everbearer", *arguments, "--config", str(self.config), "--json"]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - our own command
        assert done.returncode == 0, f"everbearer {' '.join(arguments)}: {done.stderr or done.stdout}"
        return json.loads(done.stdout)

    def told(self) -> str:
        """Return the end of the server's log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]


def _own_ports() -> Iterator[int]:
    """Go round the ports of this process, from any of them: others that run tests beside it have theirs."""
    share, shares = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    own = PORTS[int(share.removeprefix("gw")) :: int(shares)]
    begin = secrets.randbelow(len(own))
    return cycle((*own[begin:], *own[:begin]))


_own = _own_ports()


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port on which nothing listens, and which nobody else gets until a server has been started on it."""
    while True:
        port = next(_own)
        with suppress(OSError), socket.create_server((host, port)):
            return port


@contextmanager
def running_server(
    folder: Path,
    settings: str,
    *,
    port: int | None = None,
    secret: str = "",
    certificate: Path | None = None,
    trusts: Path | None = None,
) -> Iterator[ServerProcess]:
    """Run a server with some settings of its own, in TOML below `[server]`, until the block is left.

    Port and secret are chosen freely where they are not given. With a certificate, whose key lies beside it, it speaks
    https; it trusts servers by the one at `trusts`, beside those that this machine trusts.
    """
    port = port or free_port()
    scheme = "https" if certificate else "http"
    issuer = f"{scheme}://127.0.0.1:{port}"
    config = folder / "everbearer.toml"
    head = f'issuer = "{issuer}"\n[server]\nport = {port}\ndatabase = "everbearer.db"\n'
    if certificate:
        head += f'tls_certificate = "{certificate}"\ntls_key = "{certificate.with_suffix(".key")}"\n'
    config.write_text(head + settings, encoding="utf-8")
    environ = {**os.environ, "EVERBEARER_SECRET": secret or secrets.token_urlsafe(48)}
    if trusts:
        environ["SSL_CERT_FILE"] = str(trusts)
    log = folder / "server.log"
    command = [sys.executable, "-m", "everbearer", "serve", "--config", str(config)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command
    server = ServerProcess(issuer=issuer, config=config, log=log, process=process, environ=environ, trusted=certificate)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        _stop(process)


def _wait_until_ready(server: ServerProcess) -> None:
    ready = until_it_answers(f"{server.issuer}/readyz", server.process, verify=server.verify)
    assert ready, f"the server did not get ready; its log:\n{server.told()}"


def until_it_answers(url: str, process: subprocess.Popen[bytes], *, verify: ssl.SSLContext | bool = True) -> bool:
    """Wait until what is at a URL is there; return whether it is, or its process has ended or is stuck."""
    deadline = time.monotonic() + START_TIMEOUT
    with httpx.Client(verify=verify, timeout=10) as client:
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(httpx.TransportError):
                if client.get(url).is_success:
                    return True
            time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
