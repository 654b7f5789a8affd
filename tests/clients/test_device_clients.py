"""Devices without a browser: the unmodified openid-client and oauth4webapi in Node, and a program of a few lines."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from clients.person import LOGIN, Person
from clients.programs import node, running
from server_process import ServerProcess

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def life(script: str, person: Person, server: ServerProcess) -> dict[str, Any]:
    with running(node(script), {"ISSUER": server.issuer, "CLIENT_ID": "tv"}) as client:
        person.visit(client.hear()["visit"])
        client.tell("about:blank")
        result: dict[str, Any] = client.hear()["result"]
        return result


def test_openid_client_lets_a_device_in(person: Person, server: ServerProcess) -> None:
    told = life("device.mjs", person, server)

    assert person.met == ["sign-in", "device-consent"]
    assert told["asked"]["verification_uri"] == f"{server.issuer}/device"
    assert told["tokens"]["scope"] == "openid email offline_access"
    assert told["claims"]["sub"] == "ada"
    assert told["refreshed"]["refresh_token"] != told["tokens"]["refresh_token"]


def test_openid_client_hears_that_a_device_is_denied(person: Person, server: ServerProcess) -> None:
    person.decision = "deny"

    assert life("device.mjs", person, server)["error"] == "access_denied"


def test_oauth4webapi_lets_a_device_in(person: Person, server: ServerProcess) -> None:
    told = life("device_by_hand.mjs", person, server)

    assert told["before"]["error"] == "authorization_pending"
    assert told["hurried"]["error"] == "slow_down"
    assert told["tokens"]["scope"] == told["again"]["scope"] == "openid"


@pytest.mark.parametrize("typed", ["as shown", "in small letters without a dash"])
def test_a_program_of_a_few_lines_lets_a_device_in(typed: str, person: Person, server: ServerProcess) -> None:
    with httpx.Client(base_url=server.issuer, timeout=120) as device:
        form = {"client_id": "tv", "scope": "openid profile offline_access"}
        asked = device.post("/oauth2/device_authorization", data=form).json()
        poll = {"client_id": "tv", "grant_type": DEVICE_CODE, "device_code": asked["device_code"]}
        before = device.post("/oauth2/token", data=poll).json()
        code = asked["user_code"] if typed == "as shown" else asked["user_code"].replace("-", "").lower()
        person.visit(f"{asked['verification_uri']}?user_code={code}")
        tokens = device.post("/oauth2/token", data=poll).json()
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        userinfo = device.get("/oauth2/userinfo", headers=bearer).json()

    assert before["error"] == "authorization_pending"
    assert userinfo["name"] == "Ada Example"
    assert LOGIN not in str(userinfo)
