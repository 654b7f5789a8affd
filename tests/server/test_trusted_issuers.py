"""Trusted issuers at the whole server: which users they speak for, and what their settings must be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from asserting import jwks_of, sign
from everbearer.login.accounts import disable_user
from everbearer.oauth.client import JWT_BEARER
from everbearer.oauth.messages import Response
from everbearer.oauth.randomness import random_id
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.file import load_config
from everbearer.server.config.reading import ConfigError
from everbearer.server.config.trusted_issuers import TrustedIssuerSection
from everbearer.server.declared import apply_declared
from everbearer.server.tables import Parts, build
from server.app_world import LOGIN, Browser, at_once, members, new_endpoint
from world import claims_of, key_of

KEY = key_of("ES256")
IDP = TrustedIssuerSection(issuer="https://idp.example", jwks=jwks_of(KEY), scope="openid email")
SECRET = "the-secret-of-reports-0123456789abc"
CLIENT = ClientSection(
    client_id="reports",
    type="web",
    client_secret=SECRET,
    grant_types=("urn:ietf:params:oauth:grant-type:jwt-bearer",),
    scope="openid email",
)


async def server(**changes: Any) -> tuple[Browser, Parts]:
    """Return a server that trusts an issuer, with a client that brings what it signs."""
    _, parts = await new_endpoint()
    issuer = structs.replace(IDP, **changes)
    parts = replace(parts, config=structs.replace(parts.config, trusted_issuers=(issuer,), clients=(CLIENT,)))
    await apply_declared(parts.config, parts.store, parts.sealer, run=at_once, now=parts.now())
    return Browser(endpoint=build(parts)), parts


async def subject_of_ada(parts: Parts) -> str:
    user = await parts.store.user_by_login(LOGIN)
    assert user is not None
    return user.subject


async def bring(browser: Browser, parts: Parts, **claims: object) -> Response:
    usual = {"iss": IDP.issuer, "aud": parts.config.issuer, "exp": parts.now() + 60, "jti": random_id()}
    form = {"grant_type": JWT_BEARER, "client_id": "reports", "client_secret": SECRET}
    return await browser.send("POST", "/oauth2/token", {**form, "assertion": sign(usual | claims, KEY)})


async def test_a_user_is_named_by_the_subject() -> None:
    browser, parts = await server()
    subject = await subject_of_ada(parts)
    answer = await bring(browser, parts, sub=subject)

    assert claims_of(members(answer)["access_token"])["sub"] == subject
    assert members(await bring(browser, parts, sub=LOGIN))["error"] == "invalid_grant"


async def test_a_user_is_named_by_the_login_however_it_is_written() -> None:
    browser, parts = await server(subject="login")
    answer = await bring(browser, parts, sub="Ada@Example.COM ".strip())

    assert claims_of(members(answer)["access_token"])["sub"] == await subject_of_ada(parts)


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"email": LOGIN, "email_verified": True}, 200),
        ({"email": LOGIN, "email_verified": False}, 400),
        ({"email": LOGIN, "email_verified": "true"}, 400),
        ({"email": LOGIN}, 400),
        ({"email": 7, "email_verified": True}, 400),
        ({}, 400),
    ],
)
async def test_an_address_names_a_user_where_it_is_verified(claims: dict[str, object], status: int) -> None:
    browser, parts = await server(subject="login", claim="email")

    assert (await bring(browser, parts, sub="1234", **claims)).status == status


async def test_another_claim_names_a_user_as_it_stands() -> None:
    browser, parts = await server(subject="login", claim="upn")

    assert (await bring(browser, parts, sub="1234", upn=LOGIN)).status == 200


async def test_a_disabled_user_has_no_access() -> None:
    browser, parts = await server(subject="login")
    await disable_user(await subject_of_ada(parts), store=parts.store, now=parts.now(), actor="admin:test")

    assert (await bring(browser, parts, sub=LOGIN)).status == 400


@pytest.mark.parametrize(
    ("claims", "before"),
    [({"auth_time": 1_000}, 1_000), ({"iat": 2_000}, 2_000), ({"auth_time": True, "iat": 3_000}, 3_000), ({}, None)],
)
async def test_when_the_user_signed_in_is_what_the_issuer_says(claims: dict[str, object], before: int | None) -> None:
    browser, parts = await server(subject="login")
    earliest = parts.now()
    answer = await bring(browser, parts, sub=LOGIN, **claims)
    auth_time = claims_of(members(answer)["access_token"])["auth_time"]

    assert auth_time == before if before else earliest <= auth_time <= parts.now()


async def test_an_external_subject_needs_no_user() -> None:
    browser, parts = await server(subject="external", subjects=("repo:acme/*",), scope="email")
    answer = await bring(browser, parts, sub="repo:acme/app")

    assert claims_of(members(answer)["access_token"])["sub"] == "https://idp.example#repo:acme/app"
    assert (await bring(browser, parts, sub="repo:evil/app")).status == 400


# Settings

GOOD = f"""
[[trusted_issuers]]
issuer = "https://idp.example"
jwks = '{jwks_of(KEY)}'
"""


def problems(folder: Path, text: str, top: str = 'issuer = "https://id.example"\n') -> str:
    file = folder / "everbearer.toml"
    file.write_text(top + text)
    with pytest.raises(ConfigError) as refused:
        load_config(file, {})
    return str(refused.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (GOOD + GOOD, "https://idp.example is declared 2 times; keep one"),
        ('[[trusted_issuers]]\nissuer = "https://idp.example"', "must be known by one of jwks_uri and jwks"),
        (GOOD + 'jwks_uri = "https://idp.example/jwks"', "must be known by one of jwks_uri and jwks"),
        ('[[trusted_issuers]]\nissuer = "i"\njwks_uri = "http://idp.example/jwks"', "must be an https URL"),
        ('[[trusted_issuers]]\nissuer = "i"\njwks = "{}"', "jwks is not a JWK Set"),
        (GOOD.replace("idp.example", "id.example"), "is this server itself"),
        (GOOD + 'subject = "external"', "subjects: whom it may speak for must be written"),
        (GOOD + 'subject = "external"\nsubjects = ["*"]\nclaim = "email"', "claim: external subjects are always named"),
        (GOOD + 'prefix = "x"', "prefix: is for external subjects alone"),
        (GOOD + 'scope = "opnid"', "scope: opnid is not declared under [scopes]; did you mean openid?"),
        (GOOD + "scope = 'a\"b'", "scope: scope holds characters"),
        (GOOD + 'subject = "friend"', 'write one of "external", "login", "subject"'),
        (GOOD + 'longest = "soon"', "longest: is not what this setting takes"),
        (
            f'[[clients]]\nclient_id = "m"\ntype = "web"\nclient_secret = "{SECRET}"\ngrant_types = ["{JWT_BEARER}"]',
            "client m: grant_types: urn:ietf:params:oauth:grant-type:jwt-bearer needs somebody to trust",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(tmp_path: Path, settings: str, words: str) -> None:
    assert words in problems(tmp_path, settings)


def test_good_settings_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "everbearer.toml"
    file.write_text(f'issuer = "https://id.example"\n{GOOD}subject = "external"\nsubjects = ["*"]\nprefix = "none"\n')
    (section,) = load_config(file, {}).trusted_issuers

    assert section.trusted().prefix is None
    assert section.trusted().longest == 3600


async def test_a_server_without_trusted_issuers_does_not_offer_the_grant() -> None:
    endpoint, _ = await new_endpoint()
    document = members(await Browser(endpoint=endpoint).send("GET", "/.well-known/openid-configuration"))

    assert JWT_BEARER not in document["grant_types_supported"]
