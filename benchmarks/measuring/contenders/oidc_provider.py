"""panva's oidc-provider (Node), the fastest peer there is."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from measuring.contenders.contender import (
    ACCESS_TOKENS,
    CLIENT_CREDENTIALS,
    DISCOVERY,
    INTROSPECTION,
    OPENID_OPAQUE,
    REFRESH,
    REFRESH_ID_TOKEN,
    REFRESH_OPAQUE,
    USERINFO,
    Contender,
    Place,
    Start,
    access_tokens,
    ask,
    basic,
    client_credentials_call,
    discovery_call,
    introspection_call,
    refresh_call,
    userinfo_call,
)
from measuring.load import Call, Target
from measuring.paths import NODE_MODULES, PEERS
from measuring.processes import answers, free_port, running
from measuring.setup import node

CLIENTS = {REFRESH: "jwt", REFRESH_ID_TOKEN: "jwt", REFRESH_OPAQUE: "opaque", OPENID_OPAQUE: "opaque"}
LOADS = (REFRESH, REFRESH_ID_TOKEN, REFRESH_OPAQUE, CLIENT_CREDENTIALS, INTROSPECTION, USERINFO, DISCOVERY)


def contenders() -> list[Contender]:
    """Return oidc-provider on each store."""
    return [
        _contender("oidc-provider-memory", "in memory without a limit, 1 process", "no", partial(_start, workers=1)),
        _contender(
            "oidc-provider-shipped",
            "in memory as shipped, 1 process",
            "no",
            partial(_start, workers=1, shipped=True),
            loads=(REFRESH,),
        ),
        _contender(
            "oidc-provider-postgresql-2",
            "PostgreSQL, 2 processes",
            "yes, 2 flushes",
            partial(_start, workers=2, postgresql=True),
        ),
    ]


def _contender(name: str, setting: str, durable: str, start: Start, loads: tuple[str, ...] = LOADS) -> Contender:
    return Contender(
        name=name,
        project="oidc-provider",
        setting=setting,
        durable=durable,
        access_token="ES256 JWT",  # noqa: S106 - the kind of it
        loads=loads,
        start=start,
    )


@contextmanager
def _start(place: Place, *, workers: int, postgresql: bool = False, shipped: bool = False) -> Iterator[Target]:
    # Node looks for packages beside the file that imports them.
    program = place.folder / "program"
    program.mkdir()
    for file in (PEERS / "oidc-provider").glob("*.mjs"):
        shutil.copy(file, program)
    (program / "node_modules").symlink_to(NODE_MODULES)
    port, client_secret = free_port(), secrets.token_urlsafe(32)
    seed_file = place.folder / "seeds.json"
    counts = {kind: place.chains.get(kind, 0) for kind in CLIENTS}
    counts[OPENID_OPAQUE] = ACCESS_TOKENS
    cluster = place.cluster() if postgresql else None
    environ = {
        "NODE_ENV": "production",
        "PORT": str(port),
        "WORKERS": str(workers),
        "CLIENT_SECRET": client_secret,
        "SEEDS": json.dumps(counts),
        "SEED_FILE": str(seed_file),
        "SHIPPED": "yes" if shipped else "",
        "DATABASE": cluster.create(f"oidc_provider_{secrets.token_hex(4)}") if cluster else "",
    }
    with running(
        [node(), program / "server.mjs"],
        folder=place.folder,
        name="oidc-provider",
        environ=environ,
        ready=lambda: answers(f"http://127.0.0.1:{port}/.well-known/openid-configuration"),
    ) as started:
        calls = _calls(json.loads(seed_file.read_text()), client_secret)
        held = access_tokens(port, calls[OPENID_OPAQUE])
        calls[USERINFO] = userinfo_call("/me", held)
        calls[INTROSPECTION] = introspection_call("/token/introspection", basic("opaque", client_secret), held)
        if shipped:
            # It forgets a thousand tokens after: what waits for its turn is made when that comes.
            calls[REFRESH].fresh = partial(_seeds, port)
            calls = {REFRESH: calls[REFRESH]}
        yield Target(port=port, server=[started.pid], database=(cluster.pid,) if cluster else (), calls=calls)


def _seeds(port: int, count: int) -> list[str]:
    return [str(token) for token in ask(port, Call(path=f"/seeds/{count}", method="GET"), "")]


def _calls(seeds: dict[str, list[str]], client_secret: str) -> dict[str, Call]:
    refreshes = {
        kind: refresh_call("/token", basic(client, client_secret), seeds[kind]) for kind, client in CLIENTS.items()
    }
    return refreshes | {
        CLIENT_CREDENTIALS: client_credentials_call("/token", basic("machine", client_secret)),
        DISCOVERY: discovery_call("/.well-known/openid-configuration"),
    }
