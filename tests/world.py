"""A small world to test the protocol in: a server over a store, a clock set by hand, clients, and verbs by the wire.

Every verb goes through an endpoint with the form a client would send. A parameter given as None is left out.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from everbearer.oauth.authorization.endpoint import (
    AuthorizationRefused,
    complete_authorization,
    validate_authorization_request,
)
from everbearer.oauth.authorization.request import AuthorizationRequest
from everbearer.oauth.authorization_server import STANDARD_SCOPES, AuthorizationServer
from everbearer.oauth.client import CLIENT_CREDENTIALS, REFRESH_TOKEN, AccessTokenFormat, Client, RotationPolicy
from everbearer.oauth.clients.authentication import hash_client_secret
from everbearer.oauth.crypto.keys import ALGORITHMS, KeySet, SigningKey, generate_signing_key
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.encoding import base64url
from everbearer.oauth.endpoints.introspection import introspection_endpoint
from everbearer.oauth.endpoints.revocation import revocation_endpoint
from everbearer.oauth.endpoints.token import token_endpoint
from everbearer.oauth.endpoints.userinfo import userinfo_endpoint
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.grants import GRANTS
from everbearer.oauth.messages import Request, Response
from everbearer.oauth.models import WEEK, Authentication, Ended, EndReason, Everything, Grant, consent_key
from everbearer.oauth.parameters import parse
from everbearer.oauth.tokens.refresh_tokens import open_code, open_refresh_token
from everbearer.storage.store import AdminStore

ISSUER = "https://id.example"
NOW = 1_800_000_000
SECRET = "web-secret-0123456789-abcdefghij"
VERIFIER = "a-code-verifier-of-a-client-that-keeps-it-to-itself"
ADA = "ada"
ACR = "https://id.example/acr/password"
SALT = b"the salt of pairwise subjects in tests"
SERVER_SECRET = b"the secret of the server in tests"
FORM = "application/x-www-form-urlencoded"

Form: TypeAlias = Mapping[str, str | None] | Sequence[tuple[str, str]] | str | bytes
EndpointFunction: TypeAlias = Callable[[Request, AuthorizationServer], Awaitable[Response]]
NO_HEADERS: Mapping[str, str] = MappingProxyType({})

PEOPLE: Mapping[str, Mapping[str, object]] = {
    ADA: {
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "email_verified": True,
        "phone_number": "+441234567890",
        "family_name#ja-Hani-JP": "ラブレス",
        "nickname": "",
        "https://example.com/claims/plan": "gold",
    }
}

ALLOWED = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
"""The characters of `error_description` (RFC 6749 §5.2)."""

ANY_STORE = pytest.mark.parametrize("store", ["memory"], indirect=True)
"""For tests of what no store has a part in: one is as good as another, and the one in memory is quick."""

_SCOPE = ("openid", "offline_access", "profile", "email", "read", "write")


@cache
def signing_keys() -> KeySet:
    """Return one real key of each algorithm, made once a process."""
    keys = {alg: generate_signing_key(alg) for alg in ALGORITHMS}
    return KeySet(signing=keys, published=tuple(keys.values()))


def s256(verifier: str) -> str:
    return base64url(sha256(verifier.encode()).digest())


def basic(client_id: str, secret: str) -> dict[str, str]:
    """Return the header of HTTP Basic, nothing percent-encoded."""
    return {"authorization": "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def jwt_part(token: str, number: int) -> Any:
    """Return a decoded part of a JWT, unverified: 0 is its header, 1 its claims."""
    part = token.split(".")[number]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def claims_of(token: str) -> Any:
    return jwt_part(token, 1)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: int) -> None:
        self.now += seconds


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The OAuth error code; empty where the answer is none."""
        return str(self.json.get("error", "")) if self.body else ""

    @property
    def access_token(self) -> str:
        return str(self.json["access_token"])

    @property
    def refresh_token(self) -> str:
        return str(self.json["refresh_token"])

    @property
    def members(self) -> dict[str, str]:
        """What an authorization response carries to the client, in whichever mode."""
        if "location" in self.headers:
            parts = urlsplit(self.headers["location"])
            return dict(parse_qsl(parts.fragment or parts.query))
        return _hidden_fields(self.body.decode())


def answer_of(response: Response) -> Answer:
    names = [name.lower() for name, _ in response.headers]
    assert len(names) == len(set(names)), "a header is sent twice"
    return Answer(response.status, {name.lower(): value for name, value in response.headers}, response.body)


@dataclass(kw_only=True)
class World:
    """A server and all that surrounds it. Copy it with `dataclasses.replace` to see another node or another store."""

    server: AuthorizationServer
    store: AdminStore
    clock: Clock
    people: dict[str, Mapping[str, object] | None] = field(default_factory=lambda: dict(PEOPLE))
    heard: list[Event] = field(default_factory=list[Event])
    """What the server notified of."""

    def heard_of(self, *kinds: EventKind) -> list[Event]:
        """Return what the server notified of these kinds of events."""
        return [event for event in self.heard if event.kind in kinds]

    # Clients

    async def client(self, client_id: str) -> Client:
        client = await self.server.store.client(client_id)
        assert client is not None
        return client

    async def change_client(self, client_id: str, **changes: Any) -> None:
        """Change a client's settings, as an operator would."""
        changed = replace(await self.client(client_id), **changes)
        await self.store.put_client(changed, self.event(EventKind.CLIENT_CHANGED))

    async def delete_client(self, client_id: str) -> None:
        """Delete a client, as an operator would."""
        await self.store.delete_client(
            client_id, self.event(EventKind.CLIENT_DELETED), self.ended(EndReason.CLIENT_DELETED)
        )

    async def policy(self, client_id: str = "spa", **changes: Any) -> None:
        """Change a client's rotation policy."""
        await self.change_client(client_id, rotation=replace((await self.client(client_id)).rotation, **changes))

    async def lifetimes(self, client_id: str = "spa", **changes: Any) -> None:
        """Change a client's lifetimes."""
        await self.change_client(client_id, lifetimes=replace((await self.client(client_id)).lifetimes, **changes))

    def event(self, kind: EventKind) -> Event:
        return Event(kind=kind, at=self.clock.now, actor="admin:test")

    # Ends that others bring about

    def ended(self, reason: EndReason = EndReason.REVOKED_BY_ADMIN) -> Ended:
        return Ended(reason=reason, actor="admin:test", at=self.clock.now)

    async def end_all(self, everything: Everything, key: str, reason: EndReason) -> None:
        await self.store.end_all(everything, key, self.ended(reason))

    async def withdraw_consent(self, client_id: str, subject: str = ADA) -> None:
        await self.end_all(Everything.CONSENT, consent_key(subject, client_id), EndReason.CONSENT_WITHDRAWN)

    def sealed_by(self, sealer: Sealer) -> World:
        """Return the same world as a server with other secrets sees it."""
        return replace(self, server=replace(self.server, sealer=sealer))

    async def sign_out(self, session_id: str) -> None:
        """Sign a browser out."""
        await self.end_all(Everything.SESSION, session_id, EndReason.SIGNED_OUT)

    async def end_of_time(self) -> None:
        """Let every grant die and be purged, and turn the clock back: the database has lost them all."""
        await self.store.purge(now=self.clock.now + 10 * 52 * WEEK, keep=0, batch=1000)

    # The wire

    async def send(
        self,
        endpoint: EndpointFunction,
        form: Form = "",
        *,
        method: str = "POST",
        query: str = "",
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        """Send a form to an endpoint."""
        content = {"content-type": FORM} if method == "POST" else {}
        request = Request(
            method=method,
            path="/",
            query=query,
            headers={**content, "user-agent": "tests", **headers},
            body=_encode(form),
            remote_address="192.0.2.1",
        )
        return answer_of(await endpoint(request, self.server))

    async def token(self, form: Form, *, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """Post a form to the token endpoint, and nothing that is not in it."""
        return await self.send(token_endpoint, form, headers=headers)

    async def validate(self, form: Form) -> AuthorizationRequest:
        return await validate_authorization_request(parse(_encode(form).decode()), self.server)

    async def ask(
        self, client: str = "spa", *, scope: str | None = "openid offline_access", **changes: str | None
    ) -> AuthorizationRequest:
        """Return the checked authorization request of a client.

        Raises:
            AuthorizationRefused: it is refused.
        """
        return await self.validate(await self.authorization_form(client, scope=scope, **changes))

    async def authorization_form(self, client: str, **changes: str | None) -> dict[str, str | None]:
        known = await self.server.store.client(client)
        pkce = known is not None and known.require_pkce is not False
        return {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": known.redirect_uris[0] if known and known.redirect_uris else None,
            "code_challenge": s256(VERIFIER) if pkce else None,
            "code_challenge_method": "S256" if pkce else None,
            **changes,
        }

    async def authorization_response(
        self,
        client: str = "spa",
        *,
        scope: str | None = "openid offline_access",
        authentication: Authentication | None = None,
        consent_epoch: int | None = None,
        **changes: str | None,
    ) -> Answer:
        """Ask for authorization, give it as Ada, and return what takes the browser back."""
        try:
            request = await self.ask(client, scope=scope, **changes)
        except AuthorizationRefused as refused:
            if refused.response is None:
                raise
            return answer_of(refused.response)
        response = await complete_authorization(
            request,
            authentication or self.authentication(),
            self.server,
            consent_epoch=consent_epoch,
            address="192.0.2.1",
            agent="tests",
        )
        return answer_of(response)

    def authentication(self, **changes: Any) -> Authentication:
        """Return how Ada has just signed in, in the browser of session `browser`."""
        signed_in = Authentication(subject=ADA, auth_time=self.clock.now, amr=("pwd",), session_id="browser")
        return replace(signed_in, **changes)

    async def finish(
        self, request: AuthorizationRequest, authentication: Authentication, *, consent_epoch: int | None = None
    ) -> str:
        """Give what was asked for and return the code."""
        response = await complete_authorization(request, authentication, self.server, consent_epoch=consent_epoch)
        return answer_of(response).members["code"]

    async def authorize(self, client: str = "spa", *, scope: str = "openid offline_access", **changes: Any) -> str:
        """Return an authorization code that Ada gave a client."""
        return (await self.authorization_response(client, scope=scope, **changes)).members["code"]

    async def redeem(
        self, code: str, *, client: str = "spa", headers: Mapping[str, str] = NO_HEADERS, **changes: str | None
    ) -> Answer:
        """Redeem a code as a client would, with what it needs."""
        known = await self.client(client)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": next(iter(known.redirect_uris), None),
            "code_verifier": None if known.require_pkce is False else VERIFIER,
            **await self.identity(client),
            **changes,
        }
        return await self.token(form, headers=headers)

    async def refresh(
        self, token: str, *, client: str = "spa", headers: Mapping[str, str] = NO_HEADERS, **changes: str | None
    ) -> Answer:
        """Refresh as a client would; `scope` and other parameters by name."""
        form = {"grant_type": "refresh_token", "refresh_token": token, **await self.identity(client), **changes}
        return await self.token(form, headers=headers)

    async def client_credentials(
        self, client: str = "machine", *, headers: Mapping[str, str] = NO_HEADERS, **changes: str | None
    ) -> Answer:
        form = {"grant_type": "client_credentials", **await self.identity(client), **changes}
        return await self.token(form, headers=headers)

    async def userinfo(self, token: str | None, *, method: str = "GET", form: Form = "") -> Answer:
        headers = {} if token is None else bearer(token)
        return await self.send(userinfo_endpoint, form, method=method, headers=headers)

    async def introspect(
        self, token: str, *, client: str = "api", headers: Mapping[str, str] = NO_HEADERS, **changes: str | None
    ) -> Answer:
        form = {"token": token, **await self.identity(client), **changes}
        return await self.send(introspection_endpoint, form, headers=headers)

    async def revoke(
        self, token: str, *, client: str | None = None, headers: Mapping[str, str] = NO_HEADERS, **changes: str | None
    ) -> Answer:
        """Revoke a token; without a client it is sent alone."""
        identity = await self.identity(client) if client else {}
        return await self.send(revocation_endpoint, {"token": token, **identity, **changes}, headers=headers)

    async def identity(self, client_id: str) -> dict[str, str | None]:
        """Return the parameters by which a client says, and proves, who it is."""
        client = await self.server.store.client(client_id)
        return {"client_id": client_id, "client_secret": SECRET if client and not client.public else None}

    # In short

    async def sign_in(self, client: str = "spa", *, scope: str = "openid offline_access", **changes: Any) -> Answer:
        """Return the token response of a fresh sign-in."""
        return await self.redeem(await self.authorize(client, scope=scope, **changes), client=client)

    async def refresh_token(self, client: str = "spa", *, scope: str = "openid offline_access", **changes: Any) -> str:
        """Return the refresh token of a fresh sign-in."""
        return (await self.sign_in(client, scope=scope, **changes)).refresh_token

    async def grant(self, token: str) -> Grant:
        """Return the grant that a refresh token or code is of, as the store has it."""
        presented = open_refresh_token(token, self.server.sealer) or open_code(token, self.server.sealer)
        assert presented is not None
        grant = await self.store.grant(presented.grant_id)
        assert grant is not None
        return grant

    def generation(self, token: str) -> int:
        presented = open_refresh_token(token, self.server.sealer)
        assert presented is not None
        return presented.generation

    async def end_reason(self, token: str) -> EndReason | None:
        """Return why the grant of a token has ended, as written down; None while it lives."""
        ended = (await self.grant(token)).ended
        return ended.reason if ended else None

    async def active(self, token: str) -> bool:
        """Return whether introspection calls a token active."""
        return bool((await self.introspect(token)).json["active"])


async def new_world(store: AdminStore) -> World:
    """Return a world over an empty store, with its clients in it."""
    clock = Clock()
    people: dict[str, Mapping[str, object] | None] = dict(PEOPLE)
    heard: list[Event] = []

    async def claims(subject: str) -> Mapping[str, object] | None:
        return people.get(subject)

    server = AuthorizationServer(
        issuer=ISSUER,
        store=store,
        devices=store,
        sealer=Sealer([SERVER_SECRET]),
        keys=signing_keys,
        scopes={**STANDARD_SCOPES, "read": "Read your notes", "write": "Write your notes"},
        claims=claims,
        grants=GRANTS,
        pairwise_salt=lambda: SALT,
        acr_values=(ACR,),
        now=clock,
        notify=heard.append,
    )
    world = World(server=server, store=store, clock=clock, people=people, heard=heard)
    for client in clients_of(server):
        await store.put_client(client, world.event(EventKind.CLIENT_CREATED))
    return world


def clients_of(server: AuthorizationServer) -> list[Client]:
    """Return the clients every test may use, and change in its own world."""
    secrets = (hash_client_secret(SECRET, server),)
    everybody = {"scope": _SCOPE, "created_at": NOW}
    machine: dict[str, Any] = {"secrets": secrets, "grant_types": (CLIENT_CREDENTIALS,), "created_at": NOW}
    return [
        _client("spa", client_name="Notes", first_party=True, **everybody),
        _client("partner", client_name="Partner", **everybody),
        _client("opaque", access_token_format=AccessTokenFormat.OPAQUE, **everybody),
        _client("native", redirect_uris=("http://127.0.0.1/cb", "http://[::1]/cb"), **everybody),
        _client("web", secrets=secrets, require_pkce=False, **everybody),
        _client("rotating", secrets=secrets, rotation=RotationPolicy(rotate=True), **everybody),
        _client("no-refresh", grant_types=("authorization_code",), **everybody),
        _client("only-refresh", grant_types=(REFRESH_TOKEN,), **everybody),
        Client(client_id="machine", scope=("read", "write"), **machine),
        Client(client_id="api", scope=(), introspects_all=True, **machine),
    ]


def _client(client_id: str, **members: Any) -> Client:
    return Client(client_id=client_id, **{"redirect_uris": (f"https://{client_id}.example/cb",), **members})


def key_of(alg: str) -> SigningKey:
    return signing_keys().signing[alg]


def _encode(form: Form) -> bytes:
    if isinstance(form, bytes):
        return form
    if isinstance(form, str):
        return form.encode()
    pairs = form.items() if isinstance(form, Mapping) else form
    return urlencode([(name, value) for name, value in pairs if value is not None]).encode()


def _hidden_fields(page: str) -> dict[str, str]:
    fields: dict[str, str] = {}

    class Fields(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            attributes = dict(attrs)
            if tag == "input":
                fields[attributes["name"] or ""] = attributes["value"] or ""

    Fields().feed(page)
    return fields
