"""What is weaker by choice than it could be, in words: the setting, whom it concerns, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from everbearer.oauth.authorization.request_objects import UNSIGNED
from everbearer.oauth.response_types import ID_TOKEN, TOKEN, gives
from everbearer.server.config import Config
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.grant_rules import password_weakenings
from everbearer.server.config.registration_rules import registration_weakenings

_UNBOUND = (
    "a stolen code is held back by the client's authentication alone, and nothing ties it to the browser that asked "
    "for it (RFC 9700 §2.1.1)"
)
_TOKENS = (
    "access tokens stand in the address of the page that they are sent to, where scripts, extensions and histories can "
    "read them (RFC 9700 §2.1.2)"
)
_UNSIGNED = (
    "anybody can write one in the client's name, so that it proves no more than plain parameters do (RFC 9101 §10.2)"
)
_REQUEST_URIS = (
    "whoever opens an authorization request makes the server ask an address that the client chose (RFC 9101 §10.4)"
)
_ID_TOKENS = "who a user is passes through the browser, and whoever reads the address can read it too"


def weakenings(config: Config) -> tuple[str, ...]:
    """Return what is weaker by choice, a sentence without its stop each."""
    return (
        *_of_profile(config),
        *_of_clients(config),
        *registration_weakenings(config),
        *password_weakenings(config),
    )


def _of_profile(config: Config) -> Iterator[str]:
    if config.profile == "openid-certification":
        where = 'profile = "openid-certification"'
        yield f"{where}: clients of type web need neither PKCE nor a nonce: {_UNBOUND}"
        yield f"{where}: clients may register response types with token: {_TOKENS}"
        yield f"{where}: clients may register response types with id_token: {_ID_TOKENS}"
        yield f"{where}: request objects need no signature: {_UNSIGNED}"
        yield f"{where}: clients may register request_uris: {_REQUEST_URIS}"


def _of_clients(config: Config) -> Iterator[str]:
    yield from _of(
        config,
        lambda client: client.type == "web" and client.require_pkce is False,
        "require_pkce = false",
        f"{_UNBOUND}; set it to true if the client sends PKCE",
    )
    yield from _of(config, lambda client: _has(client, TOKEN), "response_types with token", f"{_TOKENS}; use code")
    yield from _of(
        config, lambda client: _has(client, ID_TOKEN), "response_types with id_token", f"{_ID_TOKENS}; use code"
    )
    yield from _of(
        config,
        lambda client: client.request_object_signing_alg == UNSIGNED,
        'request_object_signing_alg = "none"',
        f"{_UNSIGNED}; sign them",
    )
    yield from _of(
        config, lambda client: bool(client.request_uris), "request_uris", f"{_REQUEST_URIS}; send objects by value"
    )


def _of(config: Config, concerns: Callable[[ClientSection], bool], setting: str, cost: str) -> Iterator[str]:
    clients = [client.client_id for client in config.clients if concerns(client)]
    if clients:
        yield f"{setting} ({', '.join(clients)}): {cost}"


def _has(client: ClientSection, value: str) -> bool:
    return any(gives(each, value) for each in client.response_types)
