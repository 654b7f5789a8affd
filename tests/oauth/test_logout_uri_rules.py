"""Back-Channel and Front-Channel Logout 1.0 §2: where a client may want to be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.client import Client
from everbearer.oauth.client_rules.client import client_problems

APP = Client(
    client_id="app",
    redirect_uris=("com.example.app:/cb", "https://app.example.com:8443/cb", "http://localhost:8080/cb"),
    scope=("openid",),
)


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.2")
@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("uri", ["https://logout.example.com/in?tenant=1", "http://127.0.0.1:9000/logout"])
def test_a_back_channel_uri_may_be_https_of_anywhere_or_of_this_machine(uri: str, *, required: bool) -> None:
    client = replace(APP, backchannel_logout_uri=uri, backchannel_logout_session_required=required)

    assert client_problems(client) == ()


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.2")
@pytest.mark.parametrize(
    "uri",
    ["http://app.example.com/out", "https://app.example.com/out#a", "/out", "https://me@app.example.com/", "app:/out"],
)
def test_a_back_channel_uri_is_absolute_encrypted_and_without_a_fragment(uri: str) -> None:
    (problem,) = client_problems(replace(APP, backchannel_logout_uri=uri))

    assert problem.startswith(f"backchannel_logout_uri: {uri!r} must be an https URL, or http on a loopback host")


@pytest.mark.spec("OpenID Connect Front-Channel Logout", "2")
@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("uri", ["https://app.example.com:8443/out?a=b", "http://localhost:8080/out"])
def test_a_front_channel_uri_is_of_the_origin_of_a_redirect_uri(uri: str, *, required: bool) -> None:
    client = replace(APP, frontchannel_logout_uri=uri, frontchannel_logout_session_required=required)

    assert client_problems(client) == ()


@pytest.mark.spec("OpenID Connect Front-Channel Logout", "2")
@pytest.mark.parametrize(
    "uri", ["https://app.example.com/out", "https://www.example.com:8443/out", "http://localhost:8081/out"]
)
def test_a_front_channel_uri_of_another_domain_port_or_scheme_is_refused(uri: str) -> None:
    (problem,) = client_problems(replace(APP, frontchannel_logout_uri=uri))

    assert problem == (
        f"frontchannel_logout_uri: {uri!r} is of another origin than all redirect_uris: register one beside it"
    )


@pytest.mark.spec("OpenID Connect Front-Channel Logout", "2")
@pytest.mark.parametrize("uri", ["https://app.example.com:8443/out#a", "com.example.app:/out"])
def test_a_front_channel_uri_is_one_that_a_frame_can_load_safely(uri: str) -> None:
    (problem,) = client_problems(replace(APP, frontchannel_logout_uri=uri))

    assert problem.startswith(f"frontchannel_logout_uri: {uri!r} must be an https URL")


@pytest.mark.parametrize("name", ["backchannel_logout", "frontchannel_logout"])
def test_a_session_cannot_be_required_where_nobody_is_told(name: str) -> None:
    changes: Any = {f"{name}_session_required": True}
    (problem,) = client_problems(replace(APP, **changes))

    assert problem == f"{name}_session_required is set, but there is no {name}_uri: set that, or take it out"
