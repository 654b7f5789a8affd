"""How the Python peers are served: gunicorn with two worker processes of eight threads each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from measuring.contenders.contender import (
    ACCESS_TOKENS,
    CLIENT_CREDENTIALS,
    INTROSPECTION,
    REFRESH,
    access_tokens,
    basic,
    client_credentials_call,
    introspection_call,
    refresh_call,
)
from measuring.load import Call, Target
from measuring.paths import PEERS, PYTHON
from measuring.processes import free_port, listens, running

LOADS = (REFRESH, CLIENT_CREDENTIALS, INTROSPECTION)


@contextmanager
def gunicorn(
    name: str,
    folder: Path,
    *,
    environ: Mapping[str, str],
    calls: Callable[[str], dict[str, Call]],
    database: Sequence[int] = (),
) -> Iterator[Target]:
    """Serve the application of a peer until the block is left."""
    port = free_port()
    command: list[str | Path] = [PYTHON.with_name("gunicorn"), "application:application", "--bind", f"127.0.0.1:{port}"]
    how = [
        "--workers",
        "2",
        "--worker-class",
        "gthread",
        "--threads",
        "8",
        "--keep-alive",
        "60",
        "--log-level",
        "warning",
    ]
    where: list[str | Path] = ["--chdir", PEERS / name, "--worker-tmp-dir", folder]
    with running(
        [*command, *how, *where],
        folder=folder,
        name=name,
        environ={"PYTHONDONTWRITEBYTECODE": "1", **environ},
        ready=lambda: listens(port),
    ) as started:
        yield Target(port=port, server=[started.pid], database=database, calls=calls(f"{port}"))


def calls_of(
    token: str, introspect: str, client_secret: str, refresh_tokens: Sequence[str]
) -> Callable[[str], dict[str, Call]]:
    """Return what is asked of a peer; its first refresh tokens give the access tokens to ask about."""

    def calls(port: str) -> dict[str, Call]:
        web = basic("web", client_secret)
        refresh = refresh_call(token, web, refresh_tokens)
        held = access_tokens(int(port), refresh, ACCESS_TOKENS)
        return {
            REFRESH: refresh,
            CLIENT_CREDENTIALS: client_credentials_call(token, basic("machine", client_secret)),
            INTROSPECTION: introspection_call(introspect, web, held),
        }

    return calls
