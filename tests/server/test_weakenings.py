"""What is weaker by choice is said in words, for whom, and what it costs; nothing is said where nothing is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.profile import OPENID_CERTIFICATION, STRICT, Profile
from everbearer.server.config import Config
from everbearer.server.config.clients import ClientSection, ResponseType
from everbearer.server.config.weakenings import weakenings
from everbearer.server.tables import site_of
from server.app_world import new_endpoint


def _config(response_type: ResponseType = "code") -> Config:
    return Config(clients=(ClientSection(client_id="a", type="web", response_types=(response_type,)),))


def test_by_default_nothing_is_weakened() -> None:
    assert weakenings(_config()) == ()


def test_a_profile_says_what_it_lets_clients_do() -> None:
    told = weakenings(structs.replace(_config(), profile="openid-certification"))

    about = ("PKCE", "token: access tokens", "id_token: who a user is", "no signature", "request_uris")
    assert all(each.startswith('profile = "openid-certification": ') for each in told)
    assert [word in each for word, each in zip(about, told, strict=True)] == [True] * len(about)


def test_a_client_that_needs_neither_pkce_nor_nonce_is_named() -> None:
    clients = (
        ClientSection(client_id="lenient", type="web", require_pkce=False),
        ClientSection(client_id="strict", type="web", require_pkce=True),
        ClientSection(client_id="usual", type="web"),
        ClientSection(client_id="public", type="spa", require_pkce=False),
    )

    told = weakenings(Config(clients=clients))

    assert len(told) == 1
    assert told[0].startswith("require_pkce = false (lenient): a stolen code")


@pytest.mark.parametrize(
    ("response_type", "beginnings"),
    [
        ("code", []),
        ("id_token", ["response_types with id_token (a): who a user is"]),
        ("code token", ["response_types with token (a): access tokens stand in the address"]),
        ("id_token token", ["response_types with token (a)", "response_types with id_token (a)"]),
    ],
)
def test_tokens_by_the_browser_are_told(response_type: ResponseType, beginnings: list[str]) -> None:
    told = weakenings(_config(response_type))

    assert len(told) == len(beginnings)
    assert all(each.startswith(beginning) for each, beginning in zip(told, beginnings, strict=True))


def test_request_objects_that_prove_nothing_or_are_fetched_are_told() -> None:
    uris = ("https://app.example.com/request.jwt",)
    client = ClientSection(client_id="a", type="web", request_object_signing_alg="none", request_uris=uris)

    unsigned, fetched = weakenings(Config(clients=(client,)))

    assert unsigned.startswith('request_object_signing_alg = "none" (a): anybody can write one')
    assert fetched.startswith("request_uris (a): whoever opens an authorization request makes the server ask")


@pytest.mark.parametrize(("name", "profile"), [("strict", STRICT), ("openid-certification", OPENID_CERTIFICATION)])
async def test_the_server_has_the_profile_that_is_configured(name: str, profile: Profile) -> None:
    assert (await _server(name)).profile == profile


async def _server(profile: str) -> AuthorizationServer:
    _, parts = await new_endpoint()
    return site_of(replace(parts, config=structs.replace(parts.config, profile=profile))).server
