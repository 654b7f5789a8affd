"""RFC 6749 §5.2: how an error is rendered."""

from __future__ import annotations

import json

import pytest

from everbearer.oauth.error_response import error_response
from everbearer.oauth.errors import InvalidRequest, TooManyRequests, UnsupportedTokenType


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
