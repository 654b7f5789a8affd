"""Authlib's authorization server on Flask, in the least that makes refresh tokens rotate."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from measuring.contenders.contender import ACCESS_TOKENS, REFRESH, Contender, Place
from measuring.contenders.wsgi import LOADS, calls_of, gunicorn
from measuring.load import Target
from measuring.paths import PEERS, PYTHON
from measuring.processes import NotStarted

SEED = "import json, os, sys, application; print(json.dumps(application.seed(int(sys.argv[1]), os.environ['SECRET'])))"


def contenders() -> list[Contender]:
    """Return Authlib on SQLite."""
    return [
        Contender(
            name="authlib-sqlite",
            project="Authlib on Flask",
            setting="SQLite (WAL), 2 of 8 threads",
            durable="yes, 2 flushes",
            access_token="opaque",  # noqa: S106 - the kind of it
            loads=LOADS,
            start=_start,
        )
    ]


@contextmanager
def _start(place: Place) -> Iterator[Target]:
    client_secret = secrets.token_urlsafe(32)
    environ = {"DATABASE": str(place.folder / "authlib.db"), "AUTHLIB_INSECURE_TRANSPORT": "1"}
    seeded = subprocess.run(
        [PYTHON, "-c", SEED, str(place.chains.get(REFRESH, 0) + ACCESS_TOKENS)],
        cwd=PEERS / "authlib",
        env={**os.environ, **environ, "SECRET": client_secret, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if seeded.returncode:
        raise NotStarted(f"authlib: {seeded.stderr[-2000:]}")
    calls = calls_of("/token", "/introspect", client_secret, json.loads(seeded.stdout))
    with gunicorn("authlib", place.folder, environ=environ, calls=calls) as target:
        yield target
