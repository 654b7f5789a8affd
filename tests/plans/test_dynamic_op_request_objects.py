"""The modules of the OpenID Foundation's plan for a Dynamic OP that are about request objects, one test each.

What a client registers there, the configuration says here. Its request objects stand on a real https server.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from asserting import jwks_of, sign
from certificates import new_authority
from everbearer.server.outward.fetching import Fetching
from everbearer.server.outward.request_uris import ACCEPT, RequestUris
from https_site import Site, framed, site_of
from plans.relying_party import DISCOVERY, RelyingParty, new_relying_party
from world import Clock, key_of

PATH = "/test/a/everbearer/requesturi/1"

Register = Callable[..., Any]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_of(new_authority(tmp_path).server("localhost"), {}) as site:
        yield site


@pytest.fixture(params=[None, "form_post"], ids=["default", "form_post"])
def register(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Register:
    """Return what gives a relying party that keeps its request objects on the site."""
    trust = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
    fetch = Fetching(private=True, tls=trust, accept=ACCEPT)

    async def register(**settings: Any) -> RelyingParty:
        uris = (site.url(PATH),)
        source = RequestUris(fetch, Clock())
        return await new_relying_party(request.param, request_objects=source, request_uris=uris, **settings)

    return register


async def _goes_through(rp: RelyingParty, site: Site, document: str, parameters: dict[str, str]) -> None:
    """Go through a flow whose request stands on the site, and find in what comes what only stood there."""
    site.answers[PATH] = framed(document.encode(), b"HTTP/1.1 200 OK\r\nContent-Type: application/jose\r\n")
    beside = {**rp.beside(parameters), "scope": "openid"}

    page = await rp.go_on(await rp.open({**beside, "request_uri": site.url(PATH)}))

    tokens = await rp.given(rp.successful(rp.answer(page), parameters))
    assert (await rp.userinfo(tokens))["email"] == rp.claims["email"]
    assert len(site.asked) == 1


@pytest.mark.module("oidcc-request-uri-unsigned")
async def test_oidcc_request_uri_unsigned_is_fetched_and_used(register: Register, site: Site) -> None:
    rp = await register(request_object_signing_alg="none")
    parameters = rp.request(scope="openid email")

    await _goes_through(rp, site, rp.request_object(parameters), parameters)


@pytest.mark.module("oidcc-request-uri-signed-rs256")
async def test_oidcc_request_uri_signed_rs256_is_fetched_and_verified(register: Register, site: Site) -> None:
    rp = await register(request_object_signing_alg="RS256", jwks=jwks_of(key_of("RS256")))
    parameters = rp.request(scope="openid email")
    claims = {"iss": rp.client_id, "aud": rp.config.issuer, **parameters}

    await _goes_through(rp, site, sign(claims, key_of("RS256")), parameters)


@pytest.mark.module("oidcc-request-uri-signed-rs256")
async def test_oidcc_request_uri_signed_rs256_refuses_another_signature_and_none(
    register: Register, site: Site
) -> None:
    rp = await register(request_object_signing_alg="RS256", jwks=jwks_of(key_of("RS256")))
    parameters = rp.request()
    claims = {"iss": rp.client_id, "aud": rp.config.issuer, **parameters}

    errors: list[str] = []
    for document in (sign(claims, key_of("PS256")), rp.request_object(parameters)):
        site.answers[PATH] = framed(document.encode())
        answer = rp.answer(await rp.open({**parameters, "request_uri": f"{site.url(PATH)}#{len(errors)}"}))
        errors.append(answer["error"])

    assert errors == ["invalid_request_object"] * 2


@pytest.mark.module("oidcc-ensure-request-object-with-redirect-uri")
async def test_oidcc_ensure_request_object_with_redirect_uri_is_used_by_reference_too(
    register: Register, site: Site
) -> None:
    rp = await register(request_object_signing_alg="none")
    parameters = rp.request(scope="openid email")
    elsewhere = {**parameters, "redirect_uri": "https://elsewhere.example/callback"}
    site.answers[PATH] = framed(rp.request_object(parameters).encode())

    page = await rp.go_on(await rp.open({**rp.beside(elsewhere), "request_uri": site.url(PATH)}))

    assert rp.successful(rp.answer(page), parameters)


@pytest.mark.module("oidcc-request-uri-unsigned", "oidcc-request-uri-signed-rs256")
async def test_oidcc_request_uri_is_announced_with_its_algorithms(register: Register) -> None:
    document = await (await register()).document(DISCOVERY)

    assert document["request_uri_parameter_supported"] is True
    assert document["require_request_uri_registration"] is True
    assert {"none", "RS256"} <= set(document["request_object_signing_alg_values_supported"])
