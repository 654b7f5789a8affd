"""What must hold of the claims that scopes give, for all clients and for one."""

from __future__ import annotations

from collections.abc import Iterator

from everbearer.oauth.client import Client
from everbearer.oauth.client_rules.claims import claim_name_problems
from everbearer.server.config import Config
from everbearer.server.config.words import nearest


def claims_problems(config: Config) -> Iterator[str]:
    """Yield what is wrong with the table of claims."""
    for value in config.claims:
        if value not in config.all_scopes:
            yield f"claims: {value} is not declared under [scopes]; {nearest(value, config.all_scopes)}"
    yield from claim_name_problems("claims", (name for names in config.claims.values() for name in names))


def id_token_claim_problems(client: Client, config: Config) -> Iterator[str]:
    """Yield which claims a client would have in its ID tokens, and has from no scope."""
    given = {**config.all_claims, **client.claims}
    known = {name for value in client.scope for name in given.get(value, ())}
    for name in client.id_token_claims:
        if name not in known and not client.first_party:
            yield f"id_token_claims: {name} is given by no scope of this client: add one that does, or take it out"
