"""A relying party that looks at everything it gets, as the conformance suite does: over the whole server in process.

The server is that of `examples/openid-certification`, and so is the user who signs in.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet
from msgspec import structs

from everbearer.oauth.messages import Response
from everbearer.oauth.sealing import Sealer
from everbearer.server.config import Config
from everbearer.server.config.file import load_config
from everbearer.server.declared import apply_declared
from everbearer.server.pairwise_salt import PairwiseSalt, tend_salt
from everbearer.server.signing_keys import SigningKeys, tend_keys
from everbearer.server.tables import Parts, build
from everbearer.storage.memory import MemoryStore
from server.app_world import Browser, Fields, at_once, location
from world import Clock, basic

EXAMPLE = Path(__file__).parents[2] / "examples" / "openid-certification"
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """A token response whose ID token was verified."""

    members: Mapping[str, Any]
    id_token: Mapping[str, Any]

    @property
    def access_token(self) -> str:
        return str(self.members["access_token"])

    @property
    def refresh_token(self) -> str:
        return str(self.members["refresh_token"])


@dataclass(kw_only=True)
class RelyingParty:
    """One of the clients of the example, with the browser of its user."""

    config: Config
    browser: Browser
    clock: Clock
    response_mode: str | None
    client_id: str = "client"
    nonces: Counter[str] = field(default_factory=Counter[str])

    @property
    def client(self) -> Any:
        return next(client for client in self.config.clients if client.client_id == self.client_id)

    @property
    def redirect_uri(self) -> str:
        return str(self.client.redirect_uris[0])

    @property
    def claims(self) -> Mapping[str, Any]:
        """What the server knows of the user."""
        return self.config.users[0].claims

    def as_client(self, client_id: str) -> RelyingParty:
        """Return another relying party, in the same browser."""
        return replace(self, client_id=client_id)

    def in_another_browser(self) -> RelyingParty:
        """Return the same relying party, where nobody is signed in."""
        return replace(self, browser=Browser(self.browser.endpoint))

    # The front channel

    def request(self, **changes: str | None) -> dict[str, str]:
        """Return the parameters of an authorization request; those that are None are left out."""
        self.nonces["n"] += 1
        number = self.nonces["n"]
        parameters = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid",
            "state": f"state-{number}",
            "nonce": f"nonce-{number}",
            "response_type": "code",
            "response_mode": self.response_mode,
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    async def open(self, parameters: Mapping[str, str]) -> Response:
        """Send the browser to the server and return where it stays: at a page, or on its way back."""
        return await self.browser.get(f"/oauth2/authorize?{urlencode(parameters)}")

    async def go_on(self, page: Response) -> Response:
        """Sign in and allow, where that is asked for."""
        user = self.config.users[0]
        if has(page, "sign-in"):
            page = await self.browser.submit(page, login=user.login, password=user.password, decision="sign-in")
        if has(page, "consent"):
            page = await self.browser.submit(page, decision="allow")
        return page

    def answer(self, response: Response) -> dict[str, str]:
        """Return what the browser carries back, having looked at how it does."""
        if self.response_mode == "form_post":
            assert response.status == 200, response.status
            form = Fields()
            form.feed(response.body.decode())
            assert form.action == self.redirect_uri
            return form.fields
        assert response.status == 303, response.body
        parts = urlsplit(location(response))
        assert parts._replace(query="").geturl() == self.redirect_uri
        return dict(parse_qsl(parts.query, strict_parsing=True))

    async def authorize(self, **changes: str | None) -> dict[str, str]:
        """Ask for authorization and return the successful answer, with the nonce of the request beside it."""
        parameters = self.request(**changes)
        answer = self.answer(await self.go_on(await self.open(parameters)))
        assert answer.keys() == {"code", "state", "iss"}, answer
        assert answer["state"] == parameters["state"]
        assert answer["iss"] == self.config.issuer
        return {**answer, "nonce": parameters.get("nonce", "")}

    async def error(self, **changes: str | None) -> str:
        """Ask for authorization and return the error that comes back, without a page on the way."""
        parameters = self.request(**changes)
        answer = self.answer(await self.open(parameters))
        assert answer["state"] == parameters["state"]
        return answer["error"]

    # The back channel

    async def send(self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Response:
        return await Browser(self.browser.endpoint).send("POST", path, form, headers)

    async def ask_for_tokens(self, **form: str) -> Response:
        """Post to the token endpoint, with the client's secret sent as is registered."""
        secret = {"client_id": self.client_id, "client_secret": self.client.client_secret}
        if self.client.token_endpoint_auth_method == "client_secret_post":
            return await self.send("/oauth2/token", {**form, **secret})
        return await self.send("/oauth2/token", form, basic(*secret.values()))

    async def redeem(self, answer: Mapping[str, str], **changes: str) -> Tokens:
        """Redeem a code and verify what comes."""
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": self.redirect_uri,
            **changes,
        }
        return await self.verified(await self.ask_for_tokens(**form), nonce=answer["nonce"])

    async def tokens(self, **changes: str | None) -> Tokens:
        """Go through a whole flow."""
        return await self.redeem(await self.authorize(**changes))

    async def error_of(self, **form: str) -> tuple[int, str]:
        response = await self.ask_for_tokens(**form)
        return response.status, str(json.loads(response.body)["error"])

    async def verified(self, response: Response, *, nonce: str = "") -> Tokens:
        """Look at a token response and its ID token (OpenID Connect Core §3.1.3.3 and §3.1.3.7)."""
        assert response.status == 200, response.body
        headers = dict(response.headers)
        assert headers["Content-Type"].startswith("application/json")
        assert headers["Cache-Control"] == "no-store"
        members = json.loads(response.body)
        assert members["token_type"] == "Bearer"
        assert 0 < members["expires_in"] <= 86_400
        assert entropy(members["access_token"]) >= 96
        token = jwt.decode(members["id_token"], KeySet.import_key_set(await self.document("/oauth2/jwks")), ["RS256"])
        claims = token.claims
        assert claims["iss"] == self.config.issuer
        assert claims["aud"] == self.client_id
        assert claims.get("azp", self.client_id) == self.client_id
        assert claims["iat"] <= self.clock.now < claims["exp"]
        assert claims["sub"] == "certification-user"
        assert claims.get("nonce", "") == nonce
        # Claims of a scope are for userinfo, where there is an access token (§5.4).
        assert not claims.keys() & {"email", "phone_number", "address"}
        return Tokens(members=members, id_token=claims)

    async def refresh(self, token: str, **form: str) -> Tokens:
        return await self.verified(
            await self.ask_for_tokens(grant_type="refresh_token", refresh_token=token, **form), nonce=""
        )

    async def userinfo(self, tokens: Tokens) -> dict[str, Any]:
        """Return what userinfo says of the user whom the ID token names."""
        headers = {"authorization": f"Bearer {tokens.access_token}"}
        return userinfo_of(
            await Browser(self.browser.endpoint).send("GET", "/oauth2/userinfo", headers=headers), tokens
        )

    async def document(self, path: str) -> Any:
        response = await Browser(self.browser.endpoint).send("GET", path)
        assert response.status == 200
        return json.loads(response.body)


def userinfo_of(response: Response, tokens: Tokens) -> dict[str, Any]:
    """Return the claims of a userinfo response; its subject must be that of the ID token (§5.3.2)."""
    assert response.status == 200, response.body
    assert dict(response.headers)["Content-Type"].startswith("application/json")
    claims = dict(json.loads(response.body))
    assert claims["sub"] == tokens.id_token["sub"]
    return claims


def has(page: Response, form_id: str) -> bool:
    """Return whether a page has the form of this id."""
    return f'<form id="{form_id}"'.encode() in page.body


def entropy(text: str) -> float:
    """Return the bits that a text holds by Shannon's measure of its characters."""
    counted = Counter(text).values()
    return -sum(number * math.log2(number / len(text)) for number in counted)


async def new_relying_party(response_mode: str | None, **settings: Any) -> RelyingParty:
    """Return the first client of the example with other settings, and a browser in which nobody is signed in."""
    config = load_config(EXAMPLE / "everbearer.toml", {})
    first, *others = config.clients
    config = structs.replace(config, clients=(structs.replace(first, **settings), *others))
    clock, store = Clock(), MemoryStore()
    sealer = Sealer([b"the secret of the server in tests"])
    keys, salt = SigningKeys(store, sealer, clock), PairwiseSalt(store, sealer)
    await tend_keys(store, sealer, config.keys, now=clock.now, run=at_once)
    await tend_salt(store, sealer)
    await keys.refresh()
    await salt.read()
    await apply_declared(config, store, sealer, run=at_once, now=clock.now)
    parts = Parts(config=config, store=store, sealer=sealer, keys=keys, pairwise_salt=salt, run=at_once, now=clock)
    return RelyingParty(config=config, browser=Browser(build(parts)), clock=clock, response_mode=response_mode)
