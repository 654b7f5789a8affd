"""Debian's `libapache2-mod-auth-openidc` in Apache, in front of an application that reads the headers it sets."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from playwright.async_api import BrowserContext, Page

from asserting import jwks_of
from clients.apache import CALLBACK, Apache, origin_of, running_apache
from clients.person import LOGIN, Person
from clients.spa_page import fill_in
from server_process import ServerProcess, free_port
from world import key_of

AT_ONCE = 20
ROUNDS = 5


@pytest.fixture(scope="module")
def apache(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apache]:
    """Give one whose client has a secret, and which refreshes before each page, for no token lasts long enough."""
    port = free_port()
    client = register(server, port)
    api = server.command("client", "create", "--type", "machine", "--set", "introspects_all=true")
    directives = {
        "OIDCProviderMetadataURL": f"{server.issuer}/.well-known/openid-configuration",
        "OIDCClientID": client["client_id"],
        "OIDCClientSecret": client["client_secret"],
        "OIDCScope": '"openid profile email offline_access"',
        "OIDCPKCEMethod": "S256",
        "OIDCPassRefreshToken": "On",
        "OIDCRefreshAccessTokenBeforeExpiry": "1801 logout_on_error",
        "OIDCOAuthServerMetadataURL": f"{server.issuer}/.well-known/oauth-authorization-server",
        "OIDCOAuthClientID": api["client_id"],
        "OIDCOAuthClientSecret": api["client_secret"],
    }
    with running_apache(tmp_path_factory.mktemp("apache"), directives, port=port) as apache:
        yield apache


@pytest.fixture(scope="module")
def keyed_apache(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apache]:
    """Give one whose client has a key, gets its answers by form, and whose refresh tokens rotate."""
    folder, port, key = tmp_path_factory.mktemp("keyed-apache"), free_port(), key_of("RS256")
    by_key = ("--set", "token_endpoint_auth_method=private_key_jwt", "--set", f"jwks={jwks_of(key)}")
    client = register(server, port, *by_key, "--set", "rotation.rotate=true")
    private, public = folder / "private.pem", folder / "public.pem"
    private.write_bytes(key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    directives = {
        "OIDCProviderMetadataURL": f"{server.issuer}/.well-known/openid-configuration",
        "OIDCClientID": client["client_id"],
        # It wants the files before the method, and the public one too.
        "OIDCPrivateKeyFiles": f"{key.kid}#{private}",
        "OIDCPublicKeyFiles": f"{key.kid}#{public}",
        "OIDCProviderTokenEndpointAuth": "private_key_jwt",
        "OIDCScope": '"openid offline_access"',
        "OIDCPKCEMethod": "S256",
        "OIDCResponseMode": "form_post",
        "OIDCPassRefreshToken": "On",
    }
    with running_apache(folder, directives, port=port) as apache:
        yield apache


def register(server: ServerProcess, port: int, *arguments: str) -> dict[str, str]:
    """Make a client that must do PKCE for an Apache on a port."""
    here = origin_of(port)
    addresses = ("--redirect-uri", here + CALLBACK, "--post-logout-redirect-uri", f"{here}/open/bye")
    settings = ("--type", "web", "--first-party", "--set", "require_pkce=true")
    client: dict[str, str] = server.command("client", "create", *settings, *addresses, *arguments)
    return client


def headers_of(answer: httpx.Response | None) -> dict[str, str]:
    """Return the headers that the application was asked with, as it shows them."""
    assert answer is not None
    assert answer.is_success, answer.text
    headers: dict[str, str] = answer.json()["headers"]
    return headers


def explained(headers: dict[str, str], server: ServerProcess) -> dict[str, Any]:
    """Return what the server knows of the refresh token that the application was given."""
    known: dict[str, Any] = server.command("explain", headers["OIDC_refresh_token"])
    return known


def test_a_user_signs_in_and_the_application_is_told_who_it_is(apache: Apache, person: Person) -> None:
    where, answer = person.visit(f"{apache.origin}/page?x=1")

    headers = headers_of(answer)
    assert person.met == ["sign-in"]
    assert where == f"{apache.origin}/page?x=1"
    assert headers["OIDC_CLAIM_sub"] == "ada"
    assert headers["OIDC_CLAIM_email"] == LOGIN
    assert headers["OIDC_CLAIM_name"] == "Ada Example"


def test_an_access_token_is_refreshed_before_the_page_that_needs_it(
    apache: Apache, person: Person, server: ServerProcess
) -> None:
    pages = [headers_of(person.visit(f"{apache.origin}/page")[1]) for _ in range(3)]

    assert len({headers["OIDC_access_token"] for headers in pages}) == 3
    assert all(server.command("explain", headers["OIDC_access_token"])["alive"] for headers in pages)


def test_many_pages_at_once_refresh_and_the_user_stays_signed_in(
    apache: Apache, person: Person, server: ServerProcess
) -> None:
    headers = headers_of(person.visit(f"{apache.origin}/page")[1])
    cookies = {cookie.name: str(cookie.value) for cookie in person.http.cookies.jar if "openidc" in cookie.name}

    def load(number: int) -> int:
        return httpx.get(f"{apache.origin}/page?{number}", cookies=cookies, timeout=120).status_code

    with ThreadPoolExecutor(AT_ONCE) as several:
        statuses = set(several.map(load, range(AT_ONCE * ROUNDS)))

    assert statuses == {200}
    assert explained(headers, server)["alive"]


def test_access_that_was_revoked_elsewhere_signs_the_user_out_at_the_next_refresh(
    apache: Apache, person: Person, server: ServerProcess
) -> None:
    headers = headers_of(person.visit(f"{apache.origin}/page")[1])
    server.command("grant", "revoke", explained(headers, server)["grant_id"])

    answer = person.http.get(f"{apache.origin}/page")

    assert "Logged Out" in answer.text
    assert not [name for name in person.http.cookies if name.startswith("mod_auth_openidc")]


def test_logging_out_ends_the_session_the_grant_and_leads_back(
    apache: Apache, person: Person, server: ServerProcess
) -> None:
    headers = headers_of(person.visit(f"{apache.origin}/page")[1])

    where, _ = person.visit(f"{apache.redirect_uri}?{urlencode({'logout': f'{apache.origin}/open/bye'})}")

    assert where == f"{apache.origin}/open/bye"
    assert explained(headers, server)["ended"]["reason"] == "revoked_by_client"
    person.visit(f"{apache.origin}/page")
    assert person.met == ["sign-in", "sign-in"]


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_an_api_behind_apache_takes_access_tokens_by_introspection(
    access_token_format: str, apache: Apache, server: ServerProcess
) -> None:
    machine = server.command("client", "create", "--type", "machine", "--access-token-format", access_token_format)
    proof = machine["client_id"], machine["client_secret"]
    answer = httpx.post(
        f"{server.issuer}/oauth2/token", data={"grant_type": "client_credentials"}, auth=proof, timeout=120
    )
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    assert (
        headers_of(httpx.get(f"{apache.origin}/api", headers=bearer, timeout=120))["OIDC_CLAIM_client_id"] == proof[0]
    )
    assert (
        httpx.get(f"{apache.origin}/api", headers={"Authorization": "Bearer nonsense"}, timeout=120).status_code == 401
    )


async def signed_in(context: BrowserContext, apache: Apache) -> tuple[Page, dict[str, str]]:
    """Sign in in a tab of Chromium, and return it with the headers that the application shows there."""
    tab = await context.new_page()
    await tab.goto(f"{apache.origin}/page")
    await fill_in(tab)
    await tab.wait_for_url(f"{apache.origin}/page")
    headers: dict[str, str] = await tab.evaluate("() => JSON.parse(document.body.innerText).headers")
    return tab, headers


@pytest.mark.asyncio(loop_scope="session")
async def test_a_user_signs_in_by_form_post_at_a_client_with_a_key(
    keyed_apache: Apache, context: BrowserContext
) -> None:
    _, headers = await signed_in(context, keyed_apache)

    assert headers["OIDC_CLAIM_sub"] == "ada"


@pytest.mark.asyncio(loop_scope="session")
async def test_refreshes_at_once_of_a_token_that_rotates_keep_the_user_signed_in(
    keyed_apache: Apache, context: BrowserContext, server: ServerProcess
) -> None:
    tab, headers = await signed_in(context, keyed_apache)
    # The module refreshes for whoever shows the access token that its session has.
    refresh_at_once = """async ([callback, times]) => {
        const token = async (url) => (await (await fetch(url)).json()).headers.OIDC_access_token;
        const query = new URLSearchParams({ refresh: `${location.origin}/page`, access_token: await token("/page") });
        return Promise.all(Array.from({ length: times }, () => token(`${callback}?${query}`)));
    }"""
    for _ in range(ROUNDS):
        assert all(await tab.evaluate(refresh_at_once, [keyed_apache.redirect_uri, AT_ONCE]))

    known = explained(headers, server)
    assert known["newest_generation"] == ROUNDS + 1
    assert server.command("grant", "show", known["grant_id"])["alive"]
