"""django-oauth-toolkit, the most used authorization server in Python."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from measuring.contenders.contender import ACCESS_TOKENS, REFRESH, Contender, Place, Start
from measuring.contenders.wsgi import LOADS, calls_of, gunicorn
from measuring.load import Target
from measuring.paths import PEERS, PYTHON
from measuring.processes import NotStarted


def contenders() -> list[Contender]:
    """Return django-oauth-toolkit on each database."""
    return [
        _contender("django-oauth-toolkit-sqlite", "SQLite (WAL), 2 of 8 threads", partial(_start, postgresql=False)),
        _contender("django-oauth-toolkit-postgresql", "PostgreSQL, 2 of 8 threads", partial(_start, postgresql=True)),
    ]


def _contender(name: str, setting: str, start: Start) -> Contender:
    return Contender(
        name=name,
        project="django-oauth-toolkit",
        setting=setting,
        durable="yes, 1 flush",
        access_token="opaque",  # noqa: S106 - the kind of it
        loads=LOADS,
        start=start,
    )


@contextmanager
def _start(place: Place, *, postgresql: bool) -> Iterator[Target]:
    client_secret = secrets.token_urlsafe(32)
    environ = {"DATABASE_ENGINE": "sqlite", "DATABASE_NAME": str(place.folder / "django.db")}
    pids: tuple[int, ...] = ()
    if postgresql:
        cluster, name = place.cluster(), f"django_{secrets.token_hex(4)}"
        cluster.create(name)
        environ = {"DATABASE_ENGINE": "postgresql", "DATABASE_NAME": name, "DATABASE_PORT": str(cluster.port)}
        pids = (cluster.pid,)
    seeded = subprocess.run(
        [PYTHON, "seed.py", str(place.chains.get(REFRESH, 0) + ACCESS_TOKENS)],
        cwd=PEERS / "django",
        env={**os.environ, **environ, "CLIENT_SECRET": client_secret, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if seeded.returncode:
        raise NotStarted(f"django: {seeded.stderr[-2000:]}")
    calls = calls_of("/o/token/", "/o/introspect/", client_secret, json.loads(seeded.stdout))
    with gunicorn("django", place.folder, environ=environ, calls=calls, database=pids) as target:
        yield target
