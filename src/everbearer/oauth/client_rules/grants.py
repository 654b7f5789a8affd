"""Settings of single grants that contradict each other or a specification (RFC 8693, RFC 9700)."""

from __future__ import annotations

from collections.abc import Iterator

from everbearer.oauth.client import (
    PASSWORD,
    TOKEN_EXCHANGE,
    Client,
    TokenExchangePolicy,
)

NO_EXCHANGE = TokenExchangePolicy()


def grant_problems(client: Client) -> tuple[str, ...]:
    """Return what is wrong with what a client's grants may do, a sentence each."""
    return (*_token_exchange(client), *_password(client))


def _token_exchange(client: Client) -> Iterator[str]:
    policy = client.token_exchange
    if TOKEN_EXCHANGE not in client.grant_types:
        if policy != NO_EXCHANGE:
            yield f"token_exchange says what may be exchanged: add {TOKEN_EXCHANGE} to grant_types, or take it out"
        return
    if client.public:
        # "omitting client authentication allows for a compromised token to be leveraged via an STS into other tokens by
        # anyone possessing the compromised token" (RFC 8693 §5).
        yield "token exchange is for clients with a secret or keys: give it one or take it from grant_types"
    for audience in policy.audiences:
        if not audience or not audience.isprintable() or " " in audience:
            yield f"token_exchange.audiences: {audience!r} must be a name or an absolute URI, without spaces"


def _password(client: Client) -> Iterator[str]:
    if PASSWORD in client.grant_types and not client.first_party:
        yield "password is for first-party clients alone: nobody else may ask users for it; take it from grant_types"
