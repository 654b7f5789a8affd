"""What must hold of how clients register themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from everbearer.oauth.client import DEVICE_CODE, PASSWORD, refreshes_nothing
from everbearer.oauth.crypto.issuer_rules import issuer_problems
from everbearer.oauth.errors import InvalidScope
from everbearer.oauth.lifetime_rules import lifetime_problems, rotation_problems
from everbearer.oauth.models import DAY
from everbearer.oauth.scope import parse_scope
from everbearer.server.config import FULL_ACCESS, Config
from everbearer.server.config.grant_rules import grant_life_problems, unoffered_grants
from everbearer.server.config.words import nearest
from everbearer.server.declared.clients import lifetimes_of, rotation_of

_HOST_PATTERN = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def registration_problems(config: Config) -> Iterator[str]:
    """Yield what is wrong: key, what is wrong and what to write."""
    section = config.registration
    yield from _scope(config)
    for host in section.redirect_hosts:
        if not _HOST_PATTERN.fullmatch(host):
            yield (
                f"registration.redirect_hosts: {host!r} is not a host; write app.example.com, or *.example.com for all "
                "below it"
            )
    if section.unused_after is not None and section.unused_after < DAY:
        yield "registration.unused_after: must be at least a day, for so often is looked which are in use"
    if section.most_clients is not None and section.most_clients < 0:
        yield "registration.most_clients: must be at least 0; write none for any number"
    if "implicit" in section.grant_types:
        yield (
            "registration.grant_types: implicit is no choice here, for the profile says who gets tokens by the "
            "browser; take it out"
        )
    if PASSWORD in section.grant_types:
        yield (
            "registration.grant_types: password is for first-party clients alone, which no client that registers "
            "itself is; take it out"
        )
    if refreshes_nothing(section.grant_types):
        yield (
            "registration.grant_types: refresh_token needs a grant to refresh; add authorization_code, or "
            f"{DEVICE_CODE} for devices"
        )
    offered = [grant_type for grant_type in section.grant_types if grant_type != PASSWORD]
    yield from (f"registration.{problem}" for problem in unoffered_grants(offered, config))
    yield from _lives(config)
    yield from _issuers(config)


def registration_weakenings(config: Config) -> Iterator[str]:
    """Yield what is weaker by choice than it could be, and what it costs."""
    section = config.registration
    if section.mode == "off":
        return
    if section.mode == "open" and not section.require_software_statement:
        hosts = "" if section.redirect_hosts else ", for any host"
        yield (
            f'registration.mode = "open": anybody who reaches the server can register an application under any '
            f"name{hosts}, and have users asked to let it in; the consent page says that nobody has checked it (ASVS "
            '10.4.7); write "token" if those who are to register can be told one'
        )
    if config.server.fetch_from_private_addresses:
        yield (
            "server.fetch_from_private_addresses = true: whoever registers a client can have the server ask addresses "
            "of its own network, by jwks_uri, sector_identifier_uri or backchannel_logout_uri"
        )
    if section.require_pkce is False:
        yield (
            "registration.require_pkce = false: a stolen code of a client that registered itself is held back by the "
            "client's authentication alone (RFC 9700 §2.1.1)"
        )
    if section.remember_consent:
        yield (
            "registration.remember_consent = true: a client that registered itself gets tokens without asking once a "
            "user has let it in, though nobody has checked who it is (ASVS 10.7.1)"
        )


def _scope(config: Config) -> Iterator[str]:
    try:
        scope = parse_scope(config.registration.scope or "")
    except InvalidScope as error:
        yield f"registration.scope: {error.description}; separate values by spaces"
        return
    for value in scope:
        if value not in config.all_scopes:
            yield (f"registration.scope: {value} is not declared under [scopes]; {nearest(value, config.all_scopes)}")
    if FULL_ACCESS in scope:
        yield f"registration.scope: {FULL_ACCESS} is for first-party clients; take it out"


def _lives(config: Config) -> Iterator[str]:
    section = config.registration
    # What is made for all clients is looked at as such.
    lifetimes = lifetime_problems(lifetimes_of(section.lifetimes)) if section.lifetimes != config.lifetimes else ()
    rotation = rotation_problems(rotation_of(section.rotation)) if section.rotation != config.rotation else ()
    by_grant = grant_life_problems(section.lifetimes) if section.lifetimes != config.lifetimes else ()
    yield from (f"registration.{problem}" for problem in (*lifetimes, *rotation, *by_grant))
    public = "none" in section.token_endpoint_auth_methods and section.mode != "off"
    if public and section.rotation.rotate is False:
        yield (
            "registration.rotation.rotate: is false, but clients without a secret must rotate (RFC 9700 §2.2.2); take "
            '"none" from registration.token_endpoint_auth_methods, or write "none" here'
        )


def _issuers(config: Config) -> Iterator[str]:
    section = config.registration
    if section.require_software_statement and not section.statement_issuers:
        yield (
            "registration.require_software_statement: nobody's statements are believed; declare who signs them under "
            "[[registration.statement_issuers]]"
        )
    for issuer, count in Counter(each.issuer for each in section.statement_issuers).items():
        if count > 1:
            yield f"registration.statement_issuers: {issuer!r} is declared {count} times; keep one"
    for each in section.statement_issuers:
        problems = issuer_problems(each.issuer, jwks=each.jwks, jwks_uri=each.jwks_uri)
        yield from (f"registration.statement_issuers: {problem}" for problem in problems)
