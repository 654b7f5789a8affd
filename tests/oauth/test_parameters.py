"""Parameters and messages as values."""

from __future__ import annotations

import time

import pytest

from everbearer.oauth.authorization_server import unix_now
from everbearer.oauth.messages import NO_STORE, Request, json_response, redirect
from everbearer.oauth.parameters import Parameters, parse


@pytest.mark.spec("RFC 6749", "3.1", "B")
def test_parameters_are_a_mapping_of_what_was_sent_with_a_value() -> None:
    parameters = parse("a=1&b=&c=%C3%A9+x&d")

    assert dict(parameters) == {"a": "1", "c": "\u00e9 x"}
    assert (len(parameters), list(parameters), parameters.get("b")) == (2, ["a", "c"], None)
    assert len(parse("")) == 0


@pytest.mark.rt("RT-73")
def test_parameters_show_their_names_alone() -> None:
    assert repr(parse("refresh_token=secret&client_id=spa")) == "Parameters(client_id, refresh_token)"


@pytest.mark.spec("RFC 8707", "2")
def test_every_value_of_a_parameter_that_may_be_repeated_is_kept() -> None:
    parameters = parse("resource=https://a&resource=https://b&audience=c")

    assert parameters.every("resource") == ("https://a", "https://b")
    assert (parameters["resource"], parameters.every("audience"), parameters.every("scope")) == (
        "https://b",
        ("c",),
        (),
    )


def test_parameters_may_be_made_by_hand() -> None:
    assert Parameters({"a": "1"}).require("a") == "1"


def test_a_response_takes_on_more_headers() -> None:
    response = json_response({"a": "\u00e9"}).with_headers(("X", "y"))

    assert response.headers == (("Content-Type", "application/json"), *NO_STORE, ("X", "y"))
    assert response.body == '{"a":"\u00e9"}'.encode()


@pytest.mark.rt("RT-73")
def test_a_request_and_a_response_show_no_contents() -> None:
    request = Request(method="GET", path="/p", query="token=secret", headers={"x": "secret"}, body=b"secret")

    assert "secret" not in repr([request, redirect("https://spa.example/cb?code=secret")])


@pytest.mark.spec("RFC 9700", "4.12")
def test_a_redirect_never_sends_a_form_on() -> None:
    assert redirect("https://spa.example/cb", ("Set-Cookie", "a=b")).status == 303


def test_the_clock_of_a_server_is_the_systems() -> None:
    before, now, after = int(time.time()), unix_now(), int(time.time())

    assert before <= now <= after
