"""The table of resources: what it takes, what it is refused for, and what a running server makes of it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from everbearer.oauth.client import AccessTokenFormat
from everbearer.oauth.resource import Resource
from everbearer.server.config.file import load_config
from everbearer.server.config.reading import ConfigError
from server_process import running_server
from world import claims_of

API = "https://api.example.com/"
SECRET = "Vw3-kTq9_ZyR7bNc0LmXs5Ud8PfHj2GaEo4"
RESOURCE = f'[[resources]]\nresource = "{API}"\n'
MACHINE = f'[[clients]]\nclient_id = "m"\ntype = "machine"\nclient_secret = "{SECRET}"\n'


def load(folder: Path, text: str) -> dict[str, Resource]:
    path = folder / "everbearer.toml"
    path.write_text(text)
    return load_config(path, {}).all_resources


def test_a_resource_is_what_the_file_says(tmp_path: Path) -> None:
    text = f"""
[scopes]
orders = "See your orders"

{RESOURCE}resource_name = "Orders"
scopes_supported = ["orders", "email"]
any_client = true
access_token_lifetime = "10m"
access_token_format = "opaque"
access_token_signing_alg = "RS256"
"""

    assert load(tmp_path, text) == {
        API: Resource(
            resource=API,
            resource_name="Orders",
            scopes_supported=("orders", "email"),
            any_client=True,
            access_token_lifetime=600,
            access_token_format=AccessTokenFormat.OPAQUE,
            access_token_signing_alg="RS256",
        )
    }


def test_a_resource_needs_nothing_but_its_identifier(tmp_path: Path) -> None:
    assert load(tmp_path, RESOURCE) == {API: Resource(resource=API)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[resources]]\n", "resources[0]: resource is missing; write resource = text in quotes"),
        (RESOURCE + "access_token_lifetime = 0", "access_token_lifetime: must be at least 1 second; lengthen it"),
        (
            RESOURCE + "access_token_lifetime = true",
            "resources[0].access_token_lifetime: is not what this setting takes",
        ),
        (RESOURCE + RESOURCE.replace("com/", "com"), f"resources: {API} is declared 2 times; keep one"),
        ('[[resources]]\nresource = "api"', "resource api: resource: is not an absolute URI without a fragment"),
        (RESOURCE.replace("com/", "com/#x"), "is not an absolute URI without a fragment"),
        (f'issuer = "{API[:-1]}"\n{RESOURCE}', f"resource {API}: resource: is this server itself"),
        (f'[scopes]\n"{API}" = "x"\n{RESOURCE}', "resource: is the name of a scope too; call one of them otherwise"),
        (RESOURCE + 'scopes_supported = ["emial"]', "scopes_supported: emial is not declared under [scopes]; did you"),
        (
            'keys.algorithms = ["ES256"]\n' + RESOURCE + 'access_token_signing_alg = "RS256"',
            f"resource {API}: access_token_signing_alg: keys.algorithms has no RS256; add it there",
        ),
        (RESOURCE + 'access_token_lifetime = "8d"', "keys.keep_after: must be at least 691200 seconds"),
        (
            MACHINE + f'resources = ["{API}"]',
            f"client m: resources: {API} is not declared under [[resources]]; declare",
        ),
        (RESOURCE + MACHINE + f'introspects = ["{API}x"]', f"is not declared under [[resources]]; did you mean {API}?"),
        (RESOURCE + MACHINE + 'resources = ["api"]', "client m: resources: api is not declared under [[resources]]"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)

    assert told in "\n".join(refused.value.problems)


def test_a_running_server_gives_tokens_for_a_resource_to_those_who_may_ask(tmp_path: Path) -> None:
    settings = f"""
[scopes]
orders = "See your orders"

{RESOURCE}scopes_supported = ["orders"]

{MACHINE}scope = "orders email"
resources = ["{API}"]

{MACHINE.replace('"m"', '"other"')}scope = "orders"
"""
    with running_server(tmp_path, settings) as server:

        def ask(client: str, resource: str) -> httpx.Response:
            form = {"grant_type": "client_credentials", "client_id": client, "client_secret": SECRET}
            return httpx.post(f"{server.issuer}/oauth2/token", data={**form, "resource": resource}, timeout=120)

        answer, other = ask("m", API), ask("other", API)

    assert (claims_of(answer.json()["access_token"])["aud"], answer.json()["scope"]) == (API, "orders")
    assert (other.status_code, other.json()["error"]) == (400, "invalid_target")
