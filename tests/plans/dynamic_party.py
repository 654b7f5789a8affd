"""A relying party that registers itself, as in the plan for a Dynamic OP: by HTTP, at a server that listens.

The server is that of `examples/openid-certification` on a socket, under a clock that is set by hand; what the relying
party publishes stands at an https site of its own.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet
from msgspec import structs

from asserting import jwks_of, sign
from certificates import new_authority
from everbearer.http.http1 import Serving
from everbearer.oauth.clients.assertions import JWT_BEARER
from everbearer.oauth.crypto.keys import SigningKey
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.messages import Endpoint, Request, Response
from everbearer.oauth.randomness import random_id
from everbearer.server.config import Config
from everbearer.server.config.file import load_config
from everbearer.server.outward.fetching import Fetching
from everbearer.server.outward.jwks_uris import JwksUris
from everbearer.server.outward.request_uris import ACCEPT, RequestUris
from everbearer.server.self_registration import documents
from everbearer.server.tables import build
from everbearer.server.upkeep.signing_keys import SigningKeys
from everbearer.storage.store import AdminStore
from https_site import Site, framed, site_of
from plans.provider import parts_of
from plans.relying_party import EXAMPLE
from server.app_world import Fields
from world import Clock, basic

SUITE = "https://localhost.emobix.co.uk:8443"
CALLBACK = f"{SUITE}/test/a/everbearer/callback"


@dataclass(kw_only=True)
class Provider:
    """The server, and what a test may do beside it."""

    config: Config
    clock: Clock
    store: AdminStore
    sealer: Sealer
    keys: SigningKeys
    site: Site
    """Where relying parties publish their documents."""
    document: Any = None
    """Its discovery document."""

    def publish(self, path: str, content: str) -> str:
        """Let a document stand at a path of the site, and return its URL."""
        self.site.answers[path] = framed(content.encode())
        return self.site.url(path)


@dataclass(kw_only=True)
class DynamicParty:
    """A client that registered itself, with the browser of its user."""

    provider: Provider
    http: httpx.AsyncClient
    registered: Mapping[str, Any]
    """What it was told when it registered."""
    key: SigningKey | None = None
    """What it signs assertions with."""
    changed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Claims of its assertions that are not the usual ones."""

    @property
    def client_id(self) -> str:
        return str(self.registered["client_id"])

    # The front channel

    async def open(self, **changes: str | None) -> httpx.Response:
        """Send the browser to the server and return the page or redirect at which it stays."""
        asked = {
            "client_id": self.client_id,
            "redirect_uri": self.registered["redirect_uris"][0],
            "scope": "openid",
            "state": "state",
            "nonce": "nonce",
            "response_type": "code",
            **changes,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return await self._stay(await self.http.get(self.provider.document["authorization_endpoint"], params=given))

    async def go_on(self, page: httpx.Response) -> httpx.Response:
        """Sign in and allow, where that is asked for."""
        user = self.provider.config.users[0]
        if '<form id="sign-in"' in page.text:
            page = await self._submit(page, login=user.login, password=user.password, decision="sign-in")
        if '<form id="consent"' in page.text:
            page = await self._submit(page, decision="allow")
        return page

    async def answer(self, **changes: str | None) -> dict[str, str]:
        """Go through the front channel and return what the browser carries back to where it should."""
        came_back = await self.go_on(await self.open(**changes))
        assert came_back.status_code == 303, came_back.text
        where = changes.get("redirect_uri") or self.registered["redirect_uris"][0]
        location = came_back.headers["location"]
        assert location.startswith(where + ("&" if "?" in where else "?")), location
        return dict(parse_qsl(urlsplit(location).query, strict_parsing=True))

    async def _submit(self, page: httpx.Response, **typed: str) -> httpx.Response:
        form = Fields()
        form.feed(page.text)
        return await self._stay(await self.http.post(form.action, data={**form.fields, **typed}))

    async def _stay(self, response: httpx.Response) -> httpx.Response:
        while response.status_code == 303 and response.headers["location"].startswith("/"):
            response = await self.http.get(response.headers["location"])
        return response

    # The back channel

    async def ask_for_tokens(self, **form: str) -> httpx.Response:
        """Post to the token endpoint, authenticated as is registered."""
        endpoint = self.provider.document["token_endpoint"]
        if self.key is None:
            headers = basic(self.client_id, self.registered["client_secret"])
            return await self.http.post(endpoint, data=form, headers=headers)
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": endpoint,
            "jti": random_id(),
            "iat": self.provider.clock.now,
            "exp": self.provider.clock.now + 60,
            **self.changed,
        }
        assertion = {"client_assertion_type": JWT_BEARER, "client_assertion": sign(claims, self.key)}
        return await self.http.post(endpoint, data={**form, **assertion})

    async def redeem(self, answer: Mapping[str, str], **form: str) -> dict[str, Any]:
        """Redeem a code and return the token response, whose ID token was verified."""
        redirect_uri = self.registered["redirect_uris"][0]
        asked = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": redirect_uri, **form}
        return await self.verified(await self.ask_for_tokens(**asked))

    async def tokens(self, **changes: str | None) -> dict[str, Any]:
        """Go through a whole flow."""
        return await self.redeem(await self.answer(**changes))

    async def verified(self, response: httpx.Response) -> dict[str, Any]:
        """Look at a token response and its ID token; its claims are put in its place."""
        assert response.status_code == 200, response.text
        assert response.headers["cache-control"] == "no-store"
        members = dict(response.json())
        jwks = (await self.http.get(self.provider.document["jwks_uri"])).json()
        alg = self.registered["id_token_signed_response_alg"]
        token = jwt.decode(members["id_token"], KeySet.import_key_set(jwks), [alg])
        assert token.claims["iss"] == self.provider.document["issuer"]
        assert token.claims["aud"] == self.client_id
        return members | {"id_token": token.claims, "header": token.header}

    async def userinfo(self, tokens: Mapping[str, Any]) -> Any:
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        return (await self.http.get(self.provider.document["userinfo_endpoint"], headers=headers)).json()


@dataclass(kw_only=True)
class Suite:
    """What the tests of the plan begin with."""

    provider: Provider
    http: httpx.AsyncClient

    async def send(self, **metadata: Any) -> httpx.Response:
        """Send a registration request as the suite does: with one redirect URI, where metadata do not say otherwise."""
        members = {
            "redirect_uris": [CALLBACK],
            "client_name": "Conformance suite",
            "contacts": ["certification@example.com"],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            **metadata,
        }
        return await self.http.post(self.provider.document["registration_endpoint"], json=members)

    async def register(self, *, key: SigningKey | None = None, **metadata: Any) -> DynamicParty:
        """Return a client that registered itself, in the one browser; with a key it signs assertions."""
        keys: dict[str, Any] = {}
        if key is not None:
            keys["token_endpoint_auth_method"] = "private_key_jwt"
            if "jwks_uri" not in metadata:
                keys["jwks"] = json.loads(jwks_of(key))
        answer = await self.send(**{**keys, **metadata})
        assert answer.status_code == 201, answer.text
        assert answer.headers["content-type"] == "application/json"
        return DynamicParty(provider=self.provider, http=self.http, registered=answer.json(), key=key)


@asynccontextmanager
async def running_suite(folder: Path) -> AsyncGenerator[Suite]:
    """Let the server listen on a loopback port, beside a site that it trusts, until the block is left."""
    authority = new_authority(folder)
    fetching = Fetching(private=True, tls=ssl.create_default_context(cafile=authority.path))
    async with site_of(authority.server("localhost"), {}) as site:
        # Its paths are known once its port is.
        endpoint: asyncio.Future[Endpoint] = asyncio.get_running_loop().create_future()

        async def answering(request: Request) -> Response:
            return await (await endpoint)(request)

        serving = Serving(endpoint=answering, max_body=65_536)
        server = await asyncio.get_running_loop().create_server(serving.connection, "127.0.0.1", 0)
        issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        provider, answers = await _provider(issuer, site, fetching)
        endpoint.set_result(answers)
        async with httpx.AsyncClient(base_url=issuer, timeout=120) as http:
            document = (await http.get("/.well-known/openid-configuration")).json()
            yield Suite(provider=replace(provider, document=document), http=http)
        server.close()
        for connection in list(serving.connections):
            connection.close()
        await server.wait_closed()


async def _provider(issuer: str, site: Site, fetching: Fetching) -> tuple[Provider, Endpoint]:
    config = structs.replace(load_config(EXAMPLE / "everbearer.toml", {}), issuer=issuer)
    clock = Clock()
    made = await parts_of(config, clock)
    parts = replace(
        made,
        jwks=JwksUris(fetching, clock),
        request_objects=RequestUris(replace(fetching, accept=ACCEPT), clock),
        fetch=documents(fetching),
    )
    provider = Provider(config=config, clock=clock, store=made.store, sealer=made.sealer, keys=made.keys, site=site)
    return provider, build(parts)
