"""Apache with Debian's mod_auth_openidc in front of an application that is told in headers who the user is.

It is an instance of its own: its configuration, its logs and all that it writes lie in a folder of the test's.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from server_process import until_it_answers

MODULES = Path("/usr/lib/apache2/modules")
MODULE_NAMES = ("mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", "auth_openidc")
STOP_TIMEOUT = 60

_CONFIGURATION = """
ServerRoot "{folder}"
ServerName localhost:{port}
Listen 127.0.0.1:{port}
PidFile apache2.pid
DefaultRuntimeDir "{folder}"
ErrorLog apache2.log
LogLevel warn auth_openidc:info
User www-data
Group www-data
StartServers 1
ServerLimit 1
ThreadsPerChild 25
MaxRequestWorkers 25
{modules}
{directives}
<Location />
    AuthType openid-connect
    Require valid-user
</Location>
<Location /open>
    AuthType None
    Require all granted
</Location>
<Location /api>
    AuthType oauth20
    Require valid-user
</Location>
ProxyPass {callback} !
ProxyPass / http://127.0.0.1:{application}/
"""
CALLBACK = "/redirect_uri"


@dataclass(frozen=True, slots=True, kw_only=True)
class Apache:
    """Where an Apache answers."""

    origin: str
    log: Path

    @property
    def redirect_uri(self) -> str:
        """The module's own address: sign-ins come back here, and it takes `logout`, `refresh` and `info`."""
        return self.origin + CALLBACK

    def told(self) -> str:
        """Return the end of what it logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]


def origin_of(port: int) -> str:
    """Return where an Apache on a port of this machine answers."""
    return f"http://localhost:{port}"


@contextmanager
def running_apache(folder: Path, directives: Mapping[str, str], *, port: int) -> Iterator[Apache]:
    """Run an Apache, whose module is configured by some directives, until the block is left."""
    program = shutil.which("apache2") or "/usr/sbin/apache2"
    assert Path(program).exists(), "apache2 is not installed; `make test` says what these tests need"
    assert (MODULES / "mod_auth_openidc.so").exists(), "libapache2-mod-auth-openidc is not installed"
    configuration = folder / "apache2.conf"
    with ExitStack() as stack:
        application = stack.enter_context(_serving_the_application())
        shared = {"OIDCRedirectURI": origin_of(port) + CALLBACK, "OIDCCryptoPassphrase": secrets.token_urlsafe(32)}
        configuration.write_text(
            _CONFIGURATION.format(
                folder=folder,
                port=port,
                modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in MODULE_NAMES),
                directives="\n".join(f"{name} {value}" for name, value in {**shared, **directives}.items()),
                callback=CALLBACK,
                application=application,
            ),
            encoding="utf-8",
        )
        configuration.chmod(0o600)
        command = [program, "-f", str(configuration), "-D", "FOREGROUND"]
        process = stack.enter_context(_running(command, folder / "apache2.out"))
        apache = Apache(origin=origin_of(port), log=folder / "apache2.log")
        _wait_until_ready(apache, process, folder / "apache2.out")
        yield apache


@contextmanager
def _running(command: list[str], output: Path) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)  # noqa: S603 - Apache
    try:
        yield process
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT)


def _wait_until_ready(apache: Apache, process: subprocess.Popen[bytes], output: Path) -> None:
    if not until_it_answers(f"{apache.origin}/open", process):
        log = apache.told() if apache.log.exists() else ""
        raise AssertionError(f"Apache did not get ready; it said:\n{output.read_text(encoding='utf-8')}\n{log}")


class _Application(BaseHTTPRequestHandler):
    """Answers with the headers that it was asked with."""

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "headers": dict(self.headers.items())}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        """Say nothing."""


@contextmanager
def _serving_the_application() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Application)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
