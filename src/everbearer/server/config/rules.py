"""What must hold across settings: contradictions are refused before anything starts."""

from __future__ import annotations

import ipaddress
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from urllib.parse import urlsplit

from msgspec import structs

from everbearer.login.passwords import is_password_hash
from everbearer.login.sign_in import normal_login
from everbearer.oauth.client import SelfRegistration
from everbearer.oauth.client_rules.client import client_problems
from everbearer.oauth.client_rules.keys import SIGNED, SIGNED_IF_SET
from everbearer.oauth.errors import InvalidScope
from everbearer.oauth.lifetime_rules import lifetime_problems, rotation_problems
from everbearer.oauth.scope import parse_scope
from everbearer.oauth.uris import is_loopback, is_web_page
from everbearer.server.config import FULL_ACCESS, POSTGRESQL_SCHEMES, Config, UserSection
from everbearer.server.config.claim_rules import claims_problems, id_token_claim_problems
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.grant_rules import grant_life_problems, grant_setting_problems
from everbearer.server.config.issuer_rules import issuer_problems
from everbearer.server.config.registration_rules import registration_problems
from everbearer.server.config.resource_rules import named_resource_problems, resource_problems
from everbearer.server.config.secrets import client_secret_problem, one_secret
from everbearer.server.config.words import nearest
from everbearer.server.declared.clients import (
    PRIVATE_KEY_JWT,
    KeptSecrets,
    declared_client,
    lifetimes_of,
    rotation_of,
)

WITH_SECRET = frozenset({"web", "machine"})
"""The types of clients that have a secret, or a key of their own."""


def needs_secret(client: ClientSection) -> bool:
    """Return whether a client proves who it is by a secret."""
    return client.type in WITH_SECRET and client.token_endpoint_auth_method != PRIVATE_KEY_JWT


def config_problems(config: Config) -> tuple[str, ...]:
    """Return what is wrong with a configuration as a whole: key, what is wrong and what to write."""
    return (
        *_issuer(config.issuer),
        *_server(config),
        *lifetime_problems(lifetimes_of(config.lifetimes)),
        *rotation_problems(rotation_of(config.rotation)),
        *grant_life_problems(config.lifetimes),
        *_keys(config),
        *_traces(config),
        *_scopes(config),
        *claims_problems(config),
        *resource_problems(config),
        *_clients(config),
        *registration_problems(config),
        *_users(config),
        *issuer_problems(config),
    )


def serving_problems(config: Config) -> tuple[str, ...]:
    """Return what may be in development but not where others can reach the server."""
    if not config.issuer:
        return ('issuer: is missing; write issuer = "https://id.example.com", the URL under which clients reach it',)
    parts = urlsplit(config.issuer)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        # "The issuer ... URL that uses the "https" scheme" (RFC 8414 §2).
        return (f"issuer: {config.issuer} would send passwords and tokens in clear; write it with https://",)
    return ()


def _issuer(issuer: str) -> Iterator[str]:
    if issuer and not is_web_page(issuer):
        yield f"issuer: {issuer!r} is not an absolute URL; write it as https://id.example.com"
    elif "?" in issuer or "#" in issuer or "@" in urlsplit(issuer).netloc:
        # "no query or fragment components" (RFC 8414 §2).
        yield "issuer: must have no query, fragment or user name; write it as https://id.example.com"
    elif issuer.endswith("/"):
        yield f"issuer: leave out the slash at its end; write {issuer.rstrip('/')}"


def _server(config: Config) -> Iterator[str]:
    scheme, separator, _ = config.server.database.partition("://")
    if separator and scheme in POSTGRESQL_SCHEMES:
        if find_spec("psycopg") is None:
            yield "server.database: PostgreSQL needs the extra `postgres`: pip install 'everbearer[server,postgres]'"
    elif separator:
        yield (
            f"server.database: {scheme} is not a database that is known; write the path of an SQLite file, or "
            "postgresql://user@host/database"
        )
    for proxy in config.server.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            yield f"server.trusted_proxies: {proxy!r} is not an address or network; write it as 10.0.0.0/8"
    yield from _tls(config)
    if config.sessions.idle > config.sessions.absolute:
        yield "sessions.idle: is longer than sessions.absolute and would never count; shorten it"


def _tls(config: Config) -> Iterator[str]:
    certificate, key = config.server.tls_certificate, config.server.tls_key
    if bool(certificate) != bool(key):
        missing = "tls_key" if certificate else "tls_certificate"
        yield f"server.{missing}: is missing; a certificate and its key are named together, or neither"
    if certificate and urlsplit(config.issuer).scheme == "http":
        yield "issuer: begins with http://, but server.tls_certificate makes it https; write it with https://"


def _keys(config: Config) -> Iterator[str]:
    keys = config.keys
    if keys.rotate_after is not None and keys.rotate_after <= keys.publish_before:
        yield "keys.rotate_after: must be longer than keys.publish_before; lengthen it"
    every = (config.lifetimes, *(client.lifetimes for client in config.clients))
    of_resources = [resource.access_token_lifetime or 0 for resource in config.resources]
    of_clients = [max(each.access_token, *each.access_token_by_grant.values(), each.id_token) for each in every]
    longest = max([*of_resources, *of_clients])
    if keys.keep_after < longest:
        yield f"keys.keep_after: must be at least {longest} seconds, for as long lasts a token signed with the key"
    for client in config.clients:
        for name in (*SIGNED, *SIGNED_IF_SET):
            if getattr(client, name) not in (*keys.algorithms, None):
                yield (
                    f"keys.algorithms: has no {getattr(client, name)}, which client {client.client_id} has as its "
                    f"{name}; add it here or change it there"
                )


def _traces(config: Config) -> Iterator[str]:
    endpoint = config.traces.endpoint
    if not endpoint:
        return
    if urlsplit(endpoint).scheme not in {"http", "https"}:
        yield f"traces.endpoint: {endpoint!r} is not an http URL; write it as http://127.0.0.1:4318/v1/traces"
    if find_spec("opentelemetry") is None:
        yield "traces.endpoint: packages for it are missing; install them by: pip install 'everbearer[server,otel]'"


def _scopes(config: Config) -> Iterator[str]:
    for value, words in config.scopes.items():
        if not _is_scope_value(value):
            yield f"scopes: {value!r} cannot be a scope value; use ASCII without spaces, quotes or backslashes"
        if not words.strip():
            yield f"scopes.{value}: is empty; write what the consent page shall say"


def _is_scope_value(value: str) -> bool:
    try:
        return parse_scope(value) == (value,)
    except InvalidScope:
        return False


def _clients(config: Config) -> Iterator[str]:
    for client_id, count in Counter(client.client_id for client in config.clients).items():
        if count > 1:
            yield f"clients: {client_id} is declared {count} times; keep one"
    for client in config.clients:
        where = f"client {client.client_id}"
        problems = (
            *secret_setting_problems(client),
            *scope_problems(client, config),
            *grant_setting_problems(client, config),
            *named_resource_problems(client, config),
        )
        yield from (f"{where}: {problem}" for problem in problems)
        if not problems:
            # Any hash will do for the rules: what the secret is does not matter to them.
            secrets = KeptSecrets(hashes=("declared",), sealed=("declared",)) if needs_secret(client) else KeptSecrets()
            yield from (f"{where}: {problem}" for problem in _declared(client, secrets, config))


def client_setting_problems(
    client: ClientSection, secrets: KeptSecrets, config: Config, *, registration: SelfRegistration | None = None
) -> tuple[str, ...]:
    """Return what is wrong with a client that is not declared, beside a configuration in which all else is good.

    `registration` is how it registered itself, if it did.
    """
    # Scopes first: those that cannot be parsed make no client to look at.
    problems = (
        *scope_problems(client, config),
        *grant_setting_problems(client, config),
        *named_resource_problems(client, config),
        *_keys(structs.replace(config, clients=(client,))),
    )
    return problems or _declared(client, secrets, config, registration)


def _declared(
    section: ClientSection, secrets: KeptSecrets, config: Config, registration: SelfRegistration | None = None
) -> tuple[str, ...]:
    client = replace(declared_client(section, secrets, config), registration=registration)
    return (*client_problems(client), *id_token_claim_problems(client, config))


def secret_setting_problems(client: ClientSection) -> Iterator[str]:
    """Yield what is wrong with where a client has its secret from."""
    settings = {
        "client_secret": client.client_secret,
        "client_secret_file": client.client_secret_file,
        "client_secrets": ",".join(client.client_secrets),
    }
    try:
        given = one_secret(settings)
    except ValueError as error:
        yield str(error)
        return
    keyed = client.token_endpoint_auth_method == PRIVATE_KEY_JWT
    if client.type not in WITH_SECRET and (given or keyed):
        what, where = ("a key", "token_endpoint_auth_method") if keyed else ("a secret", given)
        yield f'{where}: a client of type "{client.type}" cannot keep {what}; take it out, or write type = "web"'
    elif given and keyed:
        yield f"{given}: a client that authenticates by private_key_jwt has no secret; take one of the two out"
    elif not given and needs_secret(client):
        yield f'client_secret_file: a client of type "{client.type}" needs a secret; write the path of a file with it'
    for secret in filter(None, (client.client_secret, *client.client_secrets)):
        problem = client_secret_problem(secret)
        if problem:
            yield f"{given}: {problem}; use 43 random characters"


def scope_problems(client: ClientSection, config: Config) -> Iterator[str]:
    """Yield what is wrong with what a client says it may ask for."""
    try:
        scope = parse_scope(client.scope or "")
    except InvalidScope as error:
        yield f"scope: {error.description}; separate values by spaces"
        return
    for value in scope:
        if value not in config.all_scopes:
            yield f"scope: {value} is not declared under [scopes]; {nearest(value, config.all_scopes)}"
    if FULL_ACCESS in scope and not (client.first_party and client.type not in WITH_SECRET):
        yield f'scope: {FULL_ACCESS} is for first-party clients of type "spa" or "native"; take it out'


def _users(config: Config) -> Iterator[str]:
    for login, count in Counter(normal_login(user.login) for user in config.users).items():
        if count > 1:
            yield f"users: {login} is declared {count} times; keep one"
    for user in config.users:
        yield from (f"user {user.login}: {problem}" for problem in _user(user))


def _user(user: UserSection) -> Iterator[str]:
    settings = {name: getattr(user, name) for name in ("password", "password_file", "password_hash")}
    try:
        one_secret(settings)
    except ValueError as error:
        yield str(error)
    if user.password_hash and not is_password_hash(user.password_hash):
        yield "password_hash: is not an argon2id hash in PHC form; make one with: everbearer user hash-password"
    for name, value in user.claims.items():
        try:
            json.dumps(value)
        except TypeError:
            yield f"claims.{name}: is a date or time, which no claim can be; write it in quotes"
    if "sub" in user.claims:
        yield "claims.sub: is not a claim to declare; write subject instead"
