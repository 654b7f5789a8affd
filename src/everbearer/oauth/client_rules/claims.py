"""Settings about claims that contradict each other or the protocol (OpenID Connect Core §5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from everbearer.oauth.client import Client
from everbearer.oauth.users.claims import OF_THE_PROTOCOL


def claim_problems(client: Client) -> Iterator[str]:
    """Yield what is wrong with a client's settings about claims, a sentence each that says what to change."""
    if client.claims and client.first_party:
        yield "claims says what scopes give, but a first_party client sees all claims: take one of the two out"
    for value in client.claims:
        if value not in client.scope:
            yield f"claims: {value[:80]} is no scope value of this client: add it to scope, or take it out"
    yield from claim_name_problems("claims", (name for names in client.claims.values() for name in names))
    yield from claim_name_problems("id_token_claims", client.id_token_claims)


def claim_name_problems(setting: str, names: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with the names of claims that a setting gives."""
    for name in dict.fromkeys(names):
        if name in OF_THE_PROTOCOL:
            yield f"{setting}: {name} is the protocol's own, and no claim of a user's stands for it: take it out"
        elif not name or not name.isprintable():
            yield f"{setting}: {name[:80]!r} is no name of a claim: write what can be printed, or take it out"
        elif "#" in name:
            # "Claim Names and Language Tags are separated by a # character" (§5.2).
            yield f"{setting}: {name[:80]} has a language, which requests ask for: write {name.partition('#')[0][:80]}"
