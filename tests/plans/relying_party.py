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

from browser_tokens import left_half
from everbearer.oauth.authorization_server import RequestObjectSource, no_request_objects
from everbearer.oauth.encoding import base64url
from everbearer.oauth.messages import Response
from everbearer.server.config import Config
from everbearer.server.config.file import load_config
from everbearer.server.tables import build
from plans.provider import parts_of
from server.app_world import Browser, Fields, location
from world import Clock, basic

EXAMPLE = Path(__file__).parents[2] / "examples" / "openid-certification"
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """A token response whose ID token was verified."""

    members: Mapping[str, Any]
    id_token: Mapping[str, Any]
    front: Mapping[str, str] = field(default_factory=dict[str, str])
    """What came by the browser."""
    front_id_token: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The claims of the ID token that did."""

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
    response_type: str = "code"
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
            "response_type": self.response_type,
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

    def request_object(self, parameters: Mapping[str, str], header: str = '{"alg":"none"}', **inside: object) -> str:
        """Return an unsigned request object that asks for what the parameters say."""
        claims = {"iss": self.client_id, "aud": self.config.issuer, **parameters, **inside}
        return ".".join(base64url(part.encode()) for part in (header, json.dumps(claims), ""))

    def beside(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Return what of a request must stand outside of its request object too (OpenID Connect Core §6.1)."""
        return {name: parameters[name] for name in ("response_type", "client_id", "scope", "redirect_uri")}

    def gives(self, value: str) -> bool:
        """Return whether the response type has a value."""
        return value in self.response_type.split()

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
        assert parts._replace(query="", fragment="").geturl() == self.redirect_uri
        # What holds tokens comes in the fragment, errors too (Multiple Response Type Encoding Practices §5).
        carried, empty = parts.query, parts.fragment
        if self.response_type != "code":
            carried, empty = empty, carried
        assert not empty
        return dict(parse_qsl(carried, strict_parsing=True))

    async def authorize(self, **changes: str | None) -> dict[str, str]:
        """Ask for authorization and return the successful answer, with the nonce of the request beside it."""
        parameters = self.request(**changes)
        answer = self.answer(await self.go_on(await self.open(parameters)))
        return self.successful(answer, parameters)

    def successful(self, answer: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
        """Return a successful answer, with the nonce of the request beside it."""
        of_values = {
            "code": {"code"},
            "token": {"access_token", "token_type", "expires_in", "scope"},
            "id_token": {"id_token"},
        }
        expected = {"state", "iss", "session_state"}.union(*(of_values[value] for value in self.response_type.split()))
        assert answer.keys() == expected, answer
        assert answer["state"] == parameters["state"]
        assert answer["iss"] == self.config.issuer
        return {**answer, "nonce": parameters.get("nonce", "")}

    async def given(self, answer: Mapping[str, str]) -> Tokens:
        """Return all that a successful answer gives, verified: what came by the browser, and what its code is for."""
        claims = await self.looked_at(answer) if "id_token" in answer else {}
        if "code" in answer:
            return replace(await self.redeem(answer), front=answer, front_id_token=claims)
        return Tokens(members=answer, id_token=claims, front=answer, front_id_token=claims)

    async def looked_at(self, answer: Mapping[str, str]) -> Any:
        """Verify the ID token that came by the browser (OpenID Connect Core §3.2.2.11, §3.3.2.12)."""
        claims = await self.claims_of(answer["id_token"], nonce=answer["nonce"])
        beside = {"at_hash": answer.get("access_token"), "c_hash": answer.get("code")}
        assert {name: claims.get(name) for name in beside} == {
            name: value and left_half(value, "RS256") for name, value in beside.items()
        }
        # Claims of a scope are for userinfo, where there ever is an access token (§5.4).
        assert self.response_type == "id_token" or not claims.keys() & {"email", "phone_number", "address"}
        return claims

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
        return await self.given(await self.authorize(**changes))

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
        claims = await self.claims_of(members["id_token"], nonce=nonce)
        # Claims of a scope are for userinfo, where there is an access token (§5.4).
        assert not claims.keys() & {"email", "phone_number", "address"}
        return Tokens(members=members, id_token=claims)

    async def claims_of(self, id_token: str, *, nonce: str) -> Any:
        """Verify an ID token and return its claims (OpenID Connect Core §3.1.3.7)."""
        token = jwt.decode(id_token, KeySet.import_key_set(await self.document("/oauth2/jwks")), ["RS256"])
        claims = token.claims
        assert claims["iss"] == self.config.issuer
        assert claims["aud"] == self.client_id
        assert claims.get("azp", self.client_id) == self.client_id
        assert claims["iat"] <= self.clock.now < claims["exp"]
        assert claims["sub"] == "certification-user"
        assert claims.get("nonce", "") == nonce
        return claims

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


async def new_relying_party(
    response_mode: str | None,
    response_type: str = "code",
    *,
    request_objects: RequestObjectSource = no_request_objects,
    **settings: Any,
) -> RelyingParty:
    """Return the first client of the example with other settings, and a browser in which nobody is signed in."""
    config = load_config(EXAMPLE / "everbearer.toml", {})
    first, *others = config.clients
    # Keys that no client of the example uses would only take time to make.
    keys = structs.replace(config.keys, algorithms=("ES256", "RS256"))
    config = structs.replace(config, clients=(structs.replace(first, **settings), *others), keys=keys)
    clock = Clock()
    parts = replace(await parts_of(config, clock), request_objects=request_objects)
    browser = Browser(build(parts))
    return RelyingParty(
        config=config, browser=browser, clock=clock, response_mode=response_mode, response_type=response_type
    )
