"""RFC 6749 §5.2: how an error is rendered."""

from __future__ import annotations

import json

import pytest

import everbearer
from everbearer.oauth import errors
from everbearer.oauth.error_response import error_response
from everbearer.oauth.errors import (
    InsufficientScope,
    InvalidClient,
    InvalidRequest,
    InvalidToken,
    OAuthError,
    TooManyRequests,
    UnsupportedTokenType,
)


@pytest.mark.spec("RFC 6749", "5.2")
def test_a_description_is_cleaned_of_what_it_may_not_have() -> None:
    response = error_response(InvalidRequest('a "quoted" \\ line\nbreak \u00e9'))

    assert json.loads(response.body)["error_description"] == "a ?quoted? ? line?break ?"


@pytest.mark.spec("RFC 6585", "4")
def test_a_caller_who_must_slow_down_is_told_how_long() -> None:
    response = error_response(TooManyRequests("too many", retry_after=7))

    assert response.status == 429
    assert ("Retry-After", "7") in response.headers


@pytest.mark.spec("RFC 7009", "2.2.1")
def test_an_error_without_advice_has_no_further_headers() -> None:
    response = error_response(UnsupportedTokenType("not this one"))

    assert [name for name, _ in response.headers] == ["Content-Type", "Cache-Control", "Pragma"]


def test_every_error_is_public() -> None:
    every = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}

    assert every - set(everbearer.__all__) == set()


@pytest.mark.spec("RFC 6749", "4.1.2.1")
def test_trouble_of_the_server_is_no_fault_of_the_client() -> None:
    response = everbearer.ServerError("the accounts cannot be reached").response()

    assert (response.status, json.loads(response.body)["error"]) == (500, "server_error")


@pytest.mark.spec("OpenID Connect Core", "3.1.2.6")
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (everbearer.InteractionRequired, "interaction_required"),
        (everbearer.AccountSelectionRequired, "account_selection_required"),
    ],
)
def test_what_no_silent_sign_in_can_do_has_words_of_its_own(error: type[OAuthError], code: str) -> None:
    assert json.loads(error("the user must be asked").response().body)["error"] == code


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize(("basic", "challenged"), [(True, True), (False, False)])
def test_a_client_that_tried_http_basic_is_challenged(basic: bool, challenged: bool) -> None:
    response = InvalidClient("the client secret is wrong", basic=basic).response()

    assert ("WWW-Authenticate" in dict(response.headers)) is challenged


@pytest.mark.spec("RFC 6750", "3")
@pytest.mark.parametrize(("error", "status"), [(InvalidToken("it has expired"), 401), (InsufficientScope("no"), 403)])
def test_a_token_that_will_not_do_is_challenged(error: OAuthError, status: int) -> None:
    response = error.response()

    assert response.status == status
    assert f'Bearer realm="OAuth", error="{error.error}"' in dict(response.headers)["WWW-Authenticate"]


@pytest.mark.spec("RFC 6750", "3.1")
def test_who_sends_no_token_is_told_no_error() -> None:
    response = InvalidToken("send an access token", reason="none").response()

    assert dict(response.headers)["WWW-Authenticate"] == 'Bearer realm="OAuth"'
