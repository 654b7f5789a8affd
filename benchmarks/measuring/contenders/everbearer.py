"""Everbearer, started as its users start it: `everbearer serve --config everbearer.toml`."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from measuring.contenders.contender import (
    ACCESS_TOKENS,
    CLIENT_CREDENTIALS,
    DISCOVERY,
    INTROSPECTION,
    LIVE_GRANTS,
    OPENID_OPAQUE,
    REFRESH,
    REFRESH_ID_TOKEN,
    REFRESH_KEPT,
    REFRESH_OPAQUE,
    USERINFO,
    Contender,
    Place,
    Start,
    access_tokens,
    basic,
    client_credentials_call,
    discovery_call,
    introspection_call,
    refresh_call,
    userinfo_call,
)
from measuring.filling import Kind, fill, tokens
from measuring.load import Call, Target
from measuring.paths import PYTHON
from measuring.processes import NotStarted, answers, free_port, running

TOKEN = "/oauth2/token"
INTROSPECT = "/oauth2/introspect"
USER = "/oauth2/userinfo"
METADATA = "/.well-known/openid-configuration"
SUBJECT = "user-of-all"

KINDS = {
    REFRESH: Kind(name="plain", client_id="rotating"),
    REFRESH_ID_TOKEN: Kind(name="id_token", client_id="rotating", scope="openid offline_access", subject=SUBJECT),
    REFRESH_OPAQUE: Kind(name="opaque", client_id="opaque"),
    OPENID_OPAQUE: Kind(name="openid opaque", client_id="opaque", scope="openid offline_access", subject=SUBJECT),
    REFRESH_KEPT: Kind(name="kept", client_id="keeping"),
}

_CONFIG = """\
issuer = "http://127.0.0.1:{port}"

[server]
port = {port}
workers = {workers}
database = "{database}"

[sign_in]
per_account = 1000000000
per_address = 1000000000

[scopes]
"orders.read" = "See your orders"

[[clients]]
client_id = "rotating"
type = "web"
client_secret = "{client_secret}"
redirect_uris = ["https://client.example/callback"]
scope = "openid offline_access orders.read"
rotation = {{ rotate = true }}

[[clients]]
client_id = "opaque"
type = "web"
client_secret = "{client_secret}"
redirect_uris = ["https://client.example/callback"]
scope = "openid offline_access orders.read"
access_token_format = "opaque"
rotation = {{ rotate = true }}

[[clients]]
client_id = "keeping"
type = "web"
client_secret = "{client_secret}"
redirect_uris = ["https://client.example/callback"]
scope = "openid offline_access orders.read"

[[clients]]
client_id = "machine"
type = "machine"
client_secret = "{client_secret}"
scope = "orders.read"

[[users]]
login = "ada"
password = "{client_secret}"
subject = "user-of-all"
"""

LOADS = (
    REFRESH,
    REFRESH_ID_TOKEN,
    REFRESH_OPAQUE,
    REFRESH_KEPT,
    CLIENT_CREDENTIALS,
    INTROSPECTION,
    USERINFO,
    DISCOVERY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A configured server with its migrated database, not yet started."""

    folder: Path
    port: int
    database: str
    secret: str
    client_secret: str
    environ: Mapping[str, str]

    @property
    def authorization(self) -> str:
        """Return how the rotating client authenticates."""
        return basic("rotating", self.client_secret)

    def command(self, *arguments: str) -> list[str | Path]:
        """Return an `everbearer` command on this installation."""
        return [PYTHON.with_name("everbearer"), *arguments, "--config", self.folder / "everbearer.toml"]

    def run(self, *arguments: str) -> str:
        """Run an `everbearer` command and return what it says.

        Raises:
            NotStarted: it failed.
        """
        done = subprocess.run(
            self.command(*arguments), env=self.environ, capture_output=True, text=True, timeout=3600, check=False
        )
        if done.returncode:
            raise NotStarted(f"everbearer {' '.join(arguments)}: {(done.stderr or done.stdout).strip()[-1000:]}")
        return done.stdout

    def refresh(self, kind: Kind, *, count: int, of: int, now: int, seed: int = 0) -> Call:
        """Return refreshes of some of the grants that a database was filled with."""
        chosen = tokens(kind, self.secret, count=count, of=of, now=now, seed=seed)
        return refresh_call(TOKEN, self.authorization, chosen)


def install(folder: Path, *, workers: int, database: str = "everbearer.db") -> Installation:
    """Configure a server in a folder and migrate its database."""
    port = free_port()
    secret, client_secret = secrets.token_urlsafe(48), secrets.token_urlsafe(32)
    text = _CONFIG.format(port=port, workers=workers, database=database, client_secret=client_secret)
    (folder / "everbearer.toml").write_text(text, encoding="utf-8")
    made = Installation(
        folder=folder,
        port=port,
        database=database if "://" in database else str(folder / database),
        secret=secret,
        client_secret=client_secret,
        environ={"EVERBEARER_SECRET": secret, "PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )
    made.run("migrate")
    return made


@contextmanager
def serving(installation: Installation, calls: dict[str, Call], *, database: tuple[int, ...] = ()) -> Iterator[Target]:
    """Serve an installation until the block is left."""
    ready = f"http://127.0.0.1:{installation.port}/readyz"
    with running(
        installation.command("serve"),
        folder=installation.folder,
        name="everbearer",
        environ=installation.environ,
        ready=lambda: answers(ready),
    ) as started:
        yield Target(
            port=installation.port,
            server=[started.pid],
            database=database,
            calls=calls,
            ready_after=started.ready_after,
        )


def contenders() -> list[Contender]:
    """Return Everbearer on each of its databases."""
    return [
        _contender("everbearer-sqlite-1", "SQLite, 1 worker", partial(_on_sqlite, workers=1)),
        _contender("everbearer-sqlite-2", "SQLite, 2 workers", partial(_on_sqlite, workers=2)),
        _contender("everbearer-postgresql-2", "PostgreSQL, 2 workers", partial(_on_postgresql, workers=2)),
    ]


def _contender(name: str, setting: str, start: Start) -> Contender:
    return Contender(
        name=name,
        project="Everbearer",
        setting=setting,
        durable="yes, 1 shared flush",
        access_token="ES256 JWT",  # noqa: S106 - the kind of it
        loads=LOADS,
        start=start,
    )


@contextmanager
def _on_sqlite(place: Place, *, workers: int) -> Iterator[Target]:
    with _filled_and_serving(place, install(place.folder, workers=workers)) as target:
        yield target


@contextmanager
def _on_postgresql(place: Place, *, workers: int) -> Iterator[Target]:
    cluster = place.cluster()
    name = f"everbearer_{workers}_{secrets.token_hex(4)}"
    installation = install(place.folder, workers=workers, database=cluster.create(name))
    with _filled_and_serving(place, installation, database=(cluster.pid,)) as target:
        yield target


@contextmanager
def _filled_and_serving(place: Place, installation: Installation, database: tuple[int, ...] = ()) -> Iterator[Target]:
    now = int(time.time())
    wanted = {kind: place.chains.get(load, 0) for load, kind in KINDS.items()}
    wanted[KINDS[OPENID_OPAQUE]] = ACCESS_TOKENS
    drawn: dict[str, list[str]] = {}
    for kind, count in wanted.items():
        of = max(count, LIVE_GRANTS) if kind is KINDS[REFRESH] else count
        fill(installation.database, kind, of, now=now)
        drawn[kind.name] = tokens(kind, installation.secret, count=count, of=of, now=now)
    calls = _calls(drawn, installation.client_secret)
    with serving(installation, calls, database=database) as target:
        held = access_tokens(target.port, calls[OPENID_OPAQUE])
        calls[USERINFO] = userinfo_call(USER, held)
        calls[INTROSPECTION] = introspection_call(INTROSPECT, basic("opaque", installation.client_secret), held)
        yield target


def _calls(drawn: dict[str, list[str]], client_secret: str) -> dict[str, Call]:
    refreshes = {
        load: refresh_call(TOKEN, basic(kind.client_id, client_secret), drawn[kind.name], rotates=load != REFRESH_KEPT)
        for load, kind in KINDS.items()
    }
    return refreshes | {
        CLIENT_CREDENTIALS: client_credentials_call(TOKEN, basic("machine", client_secret)),
        DISCOVERY: discovery_call(METADATA),
    }
