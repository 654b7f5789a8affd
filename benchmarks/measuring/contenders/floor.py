"""The floor: the smallest server in the same language and on the same runner that does the unavoidable durably."""

from __future__ import annotations

import hmac
import random
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256

import apsw

from measuring.contenders.contender import LIVE_GRANTS, REFRESH, Contender, Place, Start, basic, refresh_call
from measuring.load import Target
from measuring.paths import PEERS, PYTHON
from measuring.processes import free_port, listens, running

TABLE = "CREATE TABLE families (id BIGINT NOT NULL PRIMARY KEY, generation BIGINT NOT NULL)"


def contenders() -> list[Contender]:
    """Return the floor on each database."""
    return [
        _contender("floor-sqlite-1", "SQLite, 1 worker", partial(_start, workers=1)),
        _contender("floor-sqlite-2", "SQLite, 2 workers", partial(_start, workers=2)),
        _contender("floor-postgresql-2", "PostgreSQL, 2 workers", partial(_start, workers=2, postgresql=True)),
    ]


def _contender(name: str, setting: str, start: Start) -> Contender:
    return Contender(
        name=name,
        project="The floor",
        setting=setting,
        durable="yes, 1 shared flush",
        access_token="ES256 JWT",  # noqa: S106 - the kind of it
        loads=(REFRESH,),
        start=start,
    )


@contextmanager
def _start(place: Place, *, workers: int, postgresql: bool = False) -> Iterator[Target]:
    key, client_secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    chains = place.chains.get(REFRESH, 0)
    count = max(chains, LIVE_GRANTS)
    pids: tuple[int, ...] = ()
    if postgresql:
        cluster = place.cluster()
        name = f"floor_{secrets.token_hex(4)}"
        database, pids = cluster.create(name), (cluster.pid,)
        cluster.run(name, f"{TABLE}; INSERT INTO families SELECT n, 1 FROM generate_series(1, {count}) AS n")  # noqa: S608 - a number
    else:
        database = str(place.folder / "floor.db")
        connection = apsw.Connection(database)
        connection.execute(f"PRAGMA journal_mode = WAL; {TABLE}").fetchall()
        with connection:
            connection.executemany("INSERT INTO families VALUES (?, 1)", [(n,) for n in range(1, count + 1)])
        connection.close()
    families = random.Random(0).sample(range(1, count + 1), chains)  # noqa: S311 - which ones does not matter
    port = free_port()
    environ = {
        "DATABASE": database,
        "KEY": key,
        "CLIENT": "floor",
        "CLIENT_SECRET": client_secret,
        "PORT": str(port),
        "WORKERS": str(workers),
    }
    with running(
        [str(PYTHON), str(PEERS / "floor" / "app.py")],
        folder=place.folder,
        name="floor",
        environ=environ,
        ready=lambda: listens(port),
    ) as started:
        call = refresh_call("/token", basic("floor", client_secret), [_token(key, n) for n in families])
        yield Target(
            port=port, server=[started.pid], database=pids, calls={REFRESH: call}, ready_after=started.ready_after
        )


def _token(key: str, family: int) -> str:
    stem = f"{family}.1".encode()
    seal = urlsafe_b64encode(hmac.digest(key.encode(), stem, sha256)).rstrip(b"=")
    return (stem + b"." + seal).decode()
