"""What the proofs of the heart share: a server over any store, clients of each policy, requests to its endpoints."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import urlencode

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import AUTHORIZATION_CODE, REFRESH_TOKEN, AccessTokenFormat, Client, RotationPolicy
from everbearer.oauth.clients.authentication import CLIENT_SECRET
from everbearer.oauth.crypto.keys import KeySet, generate_signing_key
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.encoding import base64url
from everbearer.oauth.endpoints.introspection import introspection_endpoint
from everbearer.oauth.endpoints.revocation import revocation_endpoint
from everbearer.oauth.endpoints.token import token_endpoint
from everbearer.oauth.endpoints.userinfo import userinfo_endpoint
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.grants import GRANTS
from everbearer.oauth.messages import Request, Response
from everbearer.oauth.models import Authentication, CodeBinding, Grant
from everbearer.oauth.store import DeviceStore, Store
from everbearer.oauth.tokens.refresh_tokens import open_refresh_token, seal_code, seal_refresh_token

NOW = 1_800_000_000
ISSUER = "https://id.example.com"
SUBJECT = "ada"
SECRET = "the-secret-of-every-confidential-client-here"
SERVER_SECRET = b"heart" * 8
REDIRECT_URI = "https://app.example.com/callback"
VERIFIER = "v" * 43
CHALLENGE = "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"
"""The SHA-256 of `VERIFIER`."""
SCOPE = ("openid", "offline_access", "profile")


@dataclass(slots=True)
class Clock:
    """Time, moved by hand."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: int) -> None:
        self.now += seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    members: Mapping[str, Any] = field(hash=False)

    @property
    def ok(self) -> bool:
        return self.status == 200

    @property
    def error(self) -> str:
        return str(self.members.get("error", ""))

    @property
    def refresh_token(self) -> str:
        return str(self.members["refresh_token"])

    @property
    def access_token(self) -> str:
        return str(self.members["access_token"])

    @property
    def reason(self) -> str:
        """The reason of the end, as the page that `error_uri` leads to is named."""
        return str(self.members.get("error_uri", "")).rpartition("/")[2]


@cache
def sealer() -> Sealer:
    return Sealer([SERVER_SECRET])


@cache
def key_set() -> KeySet:
    key = generate_signing_key("ES256")
    return KeySet(signing={"ES256": key}, published=(key,))


async def no_personal_claims(subject: str) -> Mapping[str, object]:  # noqa: ARG001 - the shape of `claims`
    return {}


def server_over(store: Store, now: Callable[[], int], *, devices: DeviceStore | None = None) -> AuthorizationServer:
    return AuthorizationServer(
        issuer=ISSUER,
        store=store,
        devices=devices,
        sealer=sealer(),
        keys=key_set,
        grants=GRANTS,
        claims=no_personal_claims,
        now=now,
    )


def client_of(client_id: str, *, public: bool = True, policy: RotationPolicy | None = None) -> Client:
    """Return a client. Its access tokens are sealed: cheap to make, and seen to end at once."""
    return Client(
        client_id=client_id,
        secrets=() if public else (secret_hash(),),
        redirect_uris=(REDIRECT_URI,),
        scope=SCOPE,
        access_token_format=AccessTokenFormat.OPAQUE,
        grant_types=(AUTHORIZATION_CODE, REFRESH_TOKEN),
        rotation=policy or RotationPolicy(),
    )


@cache
def secret_hash() -> str:
    return sealer().keyed_hash(CLIENT_SECRET, SECRET.encode())


SPA = client_of("spa")
STRICT = client_of("strict", policy=RotationPolicy(retry_window=0))
WINDOWED = client_of("windowed", policy=RotationPolicy(retry_window=60))
WEB = client_of("web", public=False)
ROTATING_WEB = client_of("rotating-web", public=False, policy=RotationPolicy(rotate=True))
API = replace(client_of("api", public=False), introspects_all=True)
CLIENTS = (SPA, STRICT, WINDOWED, WEB, ROTATING_WEB, API)


def posted(path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Request:
    return Request(
        method="POST",
        path=path,
        headers={"content-type": "application/x-www-form-urlencoded", **(headers or {})},
        body=urlencode(form).encode(),
        remote_address="192.0.2.7",
    )


def basic(client: Client) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{client.client_id}:{SECRET}".encode()).decode()}


def client_request(path: str, client: Client, form: Mapping[str, str], headers: Mapping[str, str]) -> Request:
    if client.public:
        return posted(path, {**form, "client_id": client.client_id}, headers)
    return posted(path, form, {**headers, **basic(client)})


def refresh_request(client: Client, token: str, *, key: str = "", scope: str = "") -> Request:
    form = {"grant_type": REFRESH_TOKEN, "refresh_token": token, "scope": scope}
    return client_request("/oauth2/token", client, form, {"idempotency-key": key} if key else {})


def redeem_request(client: Client, code: str, *, verifier: str = VERIFIER) -> Request:
    form = {
        "grant_type": AUTHORIZATION_CODE,
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": verifier,
    }
    return client_request("/oauth2/token", client, form, {})


async def refresh(server: AuthorizationServer, client: Client, token: str, *, key: str = "", scope: str = "") -> Answer:
    return await answered(token_endpoint(refresh_request(client, token, key=key, scope=scope), server))


async def redeem(server: AuthorizationServer, client: Client, code: str, *, verifier: str = VERIFIER) -> Answer:
    return await answered(token_endpoint(redeem_request(client, code, verifier=verifier), server))


async def revoke(server: AuthorizationServer, token: str) -> Answer:
    return await answered(revocation_endpoint(posted("/oauth2/revoke", {"token": token}), server))


async def introspect(server: AuthorizationServer, token: str) -> Answer:
    request = client_request("/oauth2/introspect", API, {"token": token}, {})
    return await answered(introspection_endpoint(request, server))


async def userinfo(server: AuthorizationServer, access_token: str) -> Answer:
    request = Request(method="GET", path="/oauth2/userinfo", headers={"authorization": f"Bearer {access_token}"})
    return await answered(userinfo_endpoint(request, server))


async def answered(work: Awaitable[Response]) -> Answer:
    response = await work
    return Answer(status=response.status, members=json.loads(response.body or b"{}"))


def new_grant(client: Client, *, at: int = NOW, number: int = 1, subject: str = SUBJECT, offline: bool = True) -> Grant:
    """Return a grant whose code is not redeemed yet, with ids and secrets that are the same in each run."""
    return Grant(
        grant_id=base64url(number.to_bytes(16, "big")),
        client_id=client.client_id,
        subject=subject,
        scope=SCOPE if offline else ("openid",),
        secret=number.to_bytes(16, "little"),
        offline=offline,
        authentication=Authentication(subject=subject, auth_time=at, session_id=f"session-{subject}"),
        created_at=at,
        rotated_at=at,
        used_at=at,
        code=CodeBinding(redirect_uri=REDIRECT_URI, code_challenge=CHALLENGE),
    )


def refreshed_grant(client: Client, generation: int, *, at: int = NOW, number: int = 1) -> Grant:
    """Return a grant whose newest refresh token is of this generation, issued now; without ID tokens."""
    return replace(new_grant(client, at=at, number=number), generation=generation, code=None, scope=SCOPE[1:])


def created(grant: Grant) -> Event:
    return Event(kind=EventKind.GRANT_CREATED, at=grant.created_at, grant_id=grant.grant_id, subject=grant.subject)


def code_of(grant: Grant) -> str:
    return seal_code(grant, sealer())


def token_of(grant: Grant, generation: int) -> str:
    """Return the refresh token of any generation of a grant."""
    return seal_refresh_token(replace(grant, generation=generation), sealer())


def generation_of(token: str) -> int:
    presented = open_refresh_token(token, sealer())
    assert presented is not None
    return presented.generation


async def fill(store: Store, *grants: Grant) -> None:
    for grant in grants:
        await store.create_grant(grant, created(grant))
