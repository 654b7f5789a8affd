"""What must hold of protected resources, and of those that a client names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from everbearer.oauth.resource import is_resource_identifier, normal
from everbearer.server.config import Config
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.resources import ResourceSection
from everbearer.server.config.words import nearest


def resource_problems(config: Config) -> Iterator[str]:
    """Yield what is wrong with the declared resources."""
    counted = Counter(normal(section.resource) for section in config.resources)
    for uri, count in counted.items():
        if count > 1:
            yield f"resources: {uri} is declared {count} times; keep one"
    for section in config.resources:
        yield from (f"resource {section.resource}: {problem}" for problem in _resource(section, config))


def named_resource_problems(client: ClientSection, config: Config) -> Iterator[str]:
    """Yield which resources a client names that are not declared."""
    known = [section.resource for section in config.resources]
    for setting, uris in (("resources", client.resources), ("introspects", client.introspects)):
        for uri in uris:
            if uri not in known:
                hint = nearest(uri, known) if known else "declare it there first"
                yield f"{setting}: {uri} is not declared under [[resources]]; {hint}"


def _resource(section: ResourceSection, config: Config) -> Iterator[str]:
    if not is_resource_identifier(section.resource):
        yield "resource: is not an absolute URI without a fragment; write it as https://api.example.com/"
    if config.issuer and normal(section.resource) == normal(config.issuer):
        yield "resource: is this server itself, for which every client may ask; take it out"
    if section.resource in config.all_scopes:
        # What a user consents to are scope values and resources, by their names.
        yield "resource: is the name of a scope too; call one of them otherwise"
    for value in section.scopes_supported:
        if value not in config.all_scopes:
            yield f"scopes_supported: {value} is not declared under [scopes]; {nearest(value, config.all_scopes)}"
    if section.access_token_lifetime is not None and section.access_token_lifetime < 1:
        yield "access_token_lifetime: must be at least 1 second; lengthen it"
    alg = section.access_token_signing_alg
    if alg not in (*config.keys.algorithms, None):
        yield f"access_token_signing_alg: keys.algorithms has no {alg}; add it there or change it here"
