"""What a contender is, and what it is given to start with."""

from __future__ import annotations

import json
import os
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from measuring.load import Call, Target
from measuring.postgresql import Cluster

FORM = "Content-Type: application/x-www-form-urlencoded"
REFRESH = "refresh"
REFRESH_ID_TOKEN = "refresh, id_token"
REFRESH_OPAQUE = "refresh, opaque"
REFRESH_KEPT = "refresh, not rotated"
CLIENT_CREDENTIALS = "client_credentials"
INTROSPECTION = "introspection"
USERINFO = "userinfo"
DISCOVERY = "discovery"
OPENID_OPAQUE = "openid, opaque"
"""Not a load: these give the opaque access tokens that userinfo and introspection are asked about."""
LIVE_GRANTS = 10_000
"""How many there are at least, of which some are refreshed: in ours and the floor, whose rows would share few pages."""
ACCESS_TOKENS = 64
"""How many different access tokens introspection and userinfo are asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a contender is given: a folder, PostgreSQL, and how many chains each kind of refresh will need."""

    folder: Path
    cluster: Callable[[], Cluster]
    """Starts one for this contender alone, so that memory and CPU are its own; raises `Missing` where there is none."""
    chains: Mapping[str, int] = field(default_factory=dict[str, int])


Start: TypeAlias = Callable[[Place], AbstractContextManager[Target]]
"""Starts a server, seeds it, and ends it when the block is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One server in one setting."""

    name: str
    project: str
    setting: str
    """What a reader must know to compare: database, processes."""
    durable: str
    """What is on the disk when an answer goes out."""
    access_token: str
    loads: tuple[str, ...]
    start: Start


def basic(client_id: str, secret: str) -> str:
    """Return the header of HTTP Basic (RFC 6749 §2.3.1)."""
    quoted = f"{urllib.parse.quote(client_id, safe='')}:{urllib.parse.quote(secret, safe='')}"
    return f"Authorization: Basic {b64encode(quoted.encode()).decode()}"


def refresh_call(path: str, authorization: str, tokens: Sequence[str], *, rotates: bool = True, more: str = "") -> Call:
    """Return a refresh by a confidential client."""
    body = "grant_type=refresh_token&refresh_token={token}" + more
    return Call(path=path, headers=(FORM, authorization), body=body, rotates=rotates, tokens=list(tokens))


def client_credentials_call(path: str, authorization: str, *, more: str = "") -> Call:
    """Return a client's request for a token of its own."""
    return Call(path=path, headers=(FORM, authorization), body="grant_type=client_credentials" + more)


def introspection_call(path: str, authorization: str, access_tokens: Sequence[str]) -> Call:
    """Return a question about an access token (RFC 7662)."""
    return Call(path=path, headers=(FORM, authorization), body="token={token}", tokens=list(access_tokens))


def userinfo_call(path: str, access_tokens: Sequence[str]) -> Call:
    """Return a question about a user (OpenID Connect Core §5.3)."""
    return Call(method="GET", path=path, headers=("Authorization: Bearer {token}",), tokens=list(access_tokens))


def discovery_call(path: str) -> Call:
    """Return a request for the metadata."""
    return Call(method="GET", path=path)


def access_tokens(port: int, call: Call, count: int = ACCESS_TOKENS) -> list[str]:
    """Refresh as many chains and return the access tokens that came."""
    return [str(ask(port, call, token)["access_token"]) for token in call.take(count)]


def ask(port: int, call: Call, token: str) -> Any:  # noqa: ANN401 - JSON
    """Send one request and return the JSON that answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{call.path}",
        data=call.body.replace("{token}", token).encode() or None,
        headers=dict(header.replace("{token}", token).split(": ", 1) for header in call.headers),
        method=call.method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
        return json.load(answer)


def cores() -> int:
    """Return how many processors there are to use."""
    return len(os.sched_getaffinity(0))
