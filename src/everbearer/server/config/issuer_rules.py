"""What must hold for issuers whose assertions are taken as grants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from everbearer.oauth.crypto.issuer_rules import key_problems
from everbearer.oauth.errors import InvalidScope
from everbearer.oauth.scope import parse_scope
from everbearer.server.config import Config
from everbearer.server.config.trusted_issuers import TrustedIssuerSection
from everbearer.server.config.words import nearest


def issuer_problems(config: Config) -> Iterator[str]:
    """Yield what is wrong with the trusted issuers."""
    for issuer, count in Counter(section.issuer for section in config.trusted_issuers).items():
        if count > 1:
            yield f"trusted_issuers: {issuer} is declared {count} times; keep one"
    for section in config.trusted_issuers:
        keys = key_problems(jwks=section.jwks, jwks_uri=section.jwks_uri)
        problems = (*keys, *_subjects(section, config), *_scope(section, config))
        yield from (f"trusted issuer {section.issuer}: {problem}" for problem in problems)


def _subjects(section: TrustedIssuerSection, config: Config) -> Iterator[str]:
    if section.issuer == config.issuer:
        yield "issuer: is this server itself, whose own tokens are no assertions; take the table out"
    if section.external and not section.subjects:
        yield 'subjects: whom it may speak for must be written for external subjects, such as "repo:acme/*"'
    if section.external and section.claim != "sub":
        yield "claim: external subjects are always named by sub; take it out"
    if not section.external and section.prefix is not None:
        yield "prefix: is for external subjects alone; take it out"


def _scope(section: TrustedIssuerSection, config: Config) -> Iterator[str]:
    try:
        scope = parse_scope(section.scope)
    except InvalidScope as error:
        yield f"scope: {error.description}; separate values by spaces"
        return
    for value in scope:
        if value not in config.all_scopes:
            yield f"scope: {value} is not declared under [scopes]; {nearest(value, config.all_scopes)}"
