"""How clients register themselves at the ready server, out of its configuration and its store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from everbearer.login.addresses import network_of
from everbearer.oauth.client import AuthMethod
from everbearer.oauth.client_registration import ClientRegistration, DocumentSource, StatementIssuer
from everbearer.oauth.errors import InvalidClientMetadata, TemporarilyUnavailable
from everbearer.oauth.registration.rules import comparable_name
from everbearer.oauth.scope import Scope, parse_scope
from everbearer.server.config import FULL_ACCESS, Config
from everbearer.server.declared.clients import lifetimes_of, rotation_of
from everbearer.server.outward.fetching import Fetching, Unfetched
from everbearer.storage.store import AdminStore

RETRY_AFTER = 10
"""Seconds until a document is asked for again that could not be fetched."""


def client_registration_of(
    config: Config, store: AdminStore, *, fetch: DocumentSource, now: Callable[[], int]
) -> ClientRegistration | None:
    """Return how clients register themselves; None where they do not."""
    section = config.registration
    if section.mode == "off":
        return None
    names = (config.name, *(client.client_name for client in config.clients))
    return ClientRegistration(
        store=store,
        anybody=section.mode == "open",
        scope=registrable_scope(config),
        grant_types=section.grant_types,
        token_endpoint_auth_methods=tuple(map(AuthMethod, section.token_endpoint_auth_methods)),
        redirect_hosts=section.redirect_hosts,
        loopback=section.loopback,
        app_schemes=section.app_schemes,
        require_pkce=section.require_pkce,
        remember_consent=section.remember_consent,
        lifetimes=lifetimes_of(section.lifetimes),
        rotation=rotation_of(section.rotation),
        most_clients=section.most_clients,
        reserved_names=frozenset(filter(None, map(comparable_name, names))),
        statement_issuers=tuple(
            StatementIssuer(issuer=each.issuer, jwks=each.jwks, jwks_uri=each.jwks_uri)
            for each in section.statement_issuers
        ),
        require_software_statement=section.require_software_statement,
        fetch=fetch,
        wait=_wait(config, store, now),
    )


def registrable_scope(config: Config) -> Scope:
    """Return all that a client that registers itself may ask for."""
    if config.registration.scope is not None:
        return parse_scope(config.registration.scope)
    return tuple(value for value in config.all_scopes if value != FULL_ACCESS and value not in config.scopes)


def documents(fetching: Fetching) -> DocumentSource:
    """Return what fetches documents that clients name as they register."""

    async def fetch(url: str) -> str:
        try:
            return await fetching(url)
        except Unfetched as problem:
            sentence = f"the document at sector_identifier_uri {problem}"
            if problem.passes:
                raise TemporarilyUnavailable(sentence, retry_after=RETRY_AFTER) from None
            raise InvalidClientMetadata(sentence) from None

    return fetch


def _wait(config: Config, store: AdminStore, now: Callable[[], int]) -> Callable[[str], Awaitable[int]]:
    section = config.registration

    async def wait(address: str) -> int:
        counted = await store.count_attempt(f"registration:{network_of(address)}", now=now(), window=section.window)
        return counted.until - now() if counted.attempts > section.per_address else 0

    return wait
