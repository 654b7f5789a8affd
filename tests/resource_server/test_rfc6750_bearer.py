"""How a bearer token arrives, and what a client is told where none that will do has (RFC 6750)."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from everbearer.resource_server import (
    InsufficientScope,
    InvalidRequest,
    InvalidToken,
    OAuthError,
    ResourceServer,
    TokenRequired,
    bearer_token,
    requirement,
)
from everbearer.resource_server.requirement import VALID, Requirement
from resource_server.issuer_world import API, Issuer
from world import ALLOWED, ISSUER

NAMELESS = ResourceServer(issuer=ISSUER, audience="notes", realm="notes")
"""A resource server without an identifier, and so without metadata."""


def challenge_of(error: OAuthError, required: Requirement = VALID, api: ResourceServer = NAMELESS) -> str:
    return dict(api.refusal(error, required).headers)["WWW-Authenticate"]


@pytest.mark.spec("RFC 6750", "2.1")
@pytest.mark.parametrize(
    "header",
    ["Bearer mF_9.B5f-4.1JqM", "bearer mF_9.B5f-4.1JqM", "BEARER   mF_9.B5f-4.1JqM", "  Bearer mF_9.B5f-4.1JqM "],
)
def test_the_token_is_in_the_authorization_header(header: str) -> None:
    assert bearer_token([header]) == "mF_9.B5f-4.1JqM"


@pytest.mark.spec("RFC 6750", "2.1")
@pytest.mark.parametrize("token", ["a", "A1-._~+/", "abc=", "abc=="])
def test_every_character_of_the_grammar_may_be_in_it(token: str) -> None:
    assert bearer_token([f"Bearer {token}"]) == token


@pytest.mark.parametrize(
    "headers", [[], [""], ["Basic YTpi"], ['Digest a="b", c="d"'], ["DPoP abc"], ["mF_9.B5f-4.1JqM"]]
)
def test_without_a_bearer_token_one_is_required(headers: list[str]) -> None:
    with pytest.raises(TokenRequired):
        bearer_token(headers)


@pytest.mark.spec("RFC 6750", "3.1")
@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer =",
        "Bearer a=b",
        "Bearer ä",
        'Bearer "a"',
        "Bearer a\x00",
        "Bearer a\tb",
    ],
)
def test_what_can_be_no_token_is_an_invalid_one(header: str) -> None:
    with pytest.raises(InvalidToken, match="is malformed") as refused:
        bearer_token([header])

    assert not isinstance(refused.value, TokenRequired)


def test_a_token_that_is_too_long_is_not_looked_at() -> None:
    assert len(bearer_token(["Bearer " + 16384 * "x"])) == 16384
    with pytest.raises(InvalidToken, match="is malformed"):
        bearer_token(["Bearer " + 16385 * "x"])


@pytest.mark.spec("RFC 6750", "2", "3.1")
@pytest.mark.parametrize(
    "headers", [["Bearer a", "Bearer a"], ["Bearer a", "Basic YTpi"], ["Bearer a, Bearer b"], ["Bearer a,Bearer b"]]
)
def test_an_authorization_header_that_is_sent_twice_is_refused(headers: Sequence[str]) -> None:
    with pytest.raises(InvalidRequest, match="is sent twice"):
        bearer_token(headers)


@pytest.mark.spec("RFC 6750", "2", "2.3")
@pytest.mark.spec("RFC 9700", "4.3.2")
@pytest.mark.parametrize("headers", [[], ["Bearer a"]])
@pytest.mark.parametrize(
    "query", ["access_token=a", "x=y&access_token=a", "access%5Ftoken=a", "access_token", "access_token="]
)
def test_a_token_in_the_query_is_refused(headers: list[str], query: str) -> None:
    with pytest.raises(InvalidRequest, match="not in the query"):
        bearer_token(headers, query)


@pytest.mark.parametrize("query", ["", "a=access_token", "my_access_token=1", "ACCESS_TOKEN=1", "%", "&&="])
def test_other_queries_are_no_concern(query: str) -> None:
    assert bearer_token(["Bearer a"], query) == "a"


@pytest.mark.spec("RFC 6750", "3.1")
def test_where_no_token_was_sent_the_challenge_tells_of_no_error() -> None:
    response = NAMELESS.refusal(TokenRequired("an access token is required"))

    assert response.status == 401
    assert dict(response.headers)["WWW-Authenticate"] == 'Bearer realm="notes"'
    assert (response.body, response.error) == (b"", "")


@pytest.mark.spec("RFC 6750", "3")
def test_it_tells_of_the_scope_that_is_needed_though() -> None:
    challenge = challenge_of(TokenRequired("an access token is required"), requirement("read", "write"))

    assert challenge == 'Bearer realm="notes", scope="read write"'


@pytest.mark.spec("RFC 6750", "3", "3.1")
def test_an_invalid_token_is_401() -> None:
    response = NAMELESS.refusal(InvalidToken("the access token has expired"), requirement("read"))

    assert (response.status, response.error) == (401, "invalid_token")
    assert dict(response.headers)["WWW-Authenticate"] == (
        'Bearer realm="notes", error="invalid_token", error_description="the access token has expired", scope="read"'
    )
    assert json.loads(response.body) == {
        "error": "invalid_token",
        "error_description": "the access token has expired",
    }


@pytest.mark.spec("RFC 6750", "3.1")
def test_an_invalid_request_is_400() -> None:
    response = NAMELESS.refusal(InvalidRequest("the Authorization header is sent twice"))

    assert (response.status, response.error) == (400, "invalid_request")
    assert 'error="invalid_request"' in dict(response.headers)["WWW-Authenticate"]


@pytest.mark.spec("RFC 6750", "3", "3.1")
async def test_insufficient_scope_is_403_and_says_what_is_needed(issuer: Issuer) -> None:
    api, required = issuer.api(), requirement("read", "admin")
    with pytest.raises(InsufficientScope) as refused:
        api.validate(await issuer.token(), required)
    response = api.refusal(refused.value, required)

    assert (response.status, response.error) == (403, "insufficient_scope")
    assert dict(response.headers)["WWW-Authenticate"] == (
        'Bearer realm="api", error="insufficient_scope", '
        'error_description="the access token has not the scope that this needs", scope="read admin", '
        'resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1"'
    )


async def test_a_scope_that_depends_on_the_data_is_checked_later(issuer: Issuer) -> None:
    api = issuer.api()
    token = api.validate(await issuer.token())
    api.check(token, requirement("read write"))
    with pytest.raises(InsufficientScope) as refused:
        api.check(token, requirement("admin"))

    assert 'scope="admin"' in challenge_of(refused.value, requirement("read"), api)


@pytest.mark.spec("RFC 6750", "5.3")
@pytest.mark.parametrize("error", [TokenRequired(""), InvalidToken("x"), InvalidRequest("x")])
def test_no_refusal_is_stored(error: OAuthError) -> None:
    assert dict(NAMELESS.refusal(error).headers)["Cache-Control"] == "no-store"


@pytest.mark.spec("RFC 6750", "3")
def test_a_challenge_has_no_characters_that_it_cannot_have() -> None:
    api = ResourceServer(issuer=ISSUER, audience=API, realm='a"\\b\r\nX: yä')
    challenge = challenge_of(InvalidToken('say "no"\r\n'), api=api)

    assert challenge.startswith('Bearer realm="a??b??X: y?", error="invalid_token", error_description="say ?no???", ')
    assert ALLOWED.fullmatch(challenge.replace('"', ""))


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "ä", "a\x00"])
def test_a_scope_that_no_token_can_have_is_refused_when_it_is_written(scope: str) -> None:
    with pytest.raises(ValueError, match="has characters that neither a scope value nor an acr value can have"):
        requirement(scope)


def test_scope_values_may_be_written_together_and_twice() -> None:
    assert requirement("a b", "c", "a").scope == ("a", "b", "c")
