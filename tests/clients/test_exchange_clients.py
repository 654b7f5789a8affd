"""A service that was sent a token exchanges it: the unmodified openid-client in Node."""

from __future__ import annotations

import httpx

from clients.person import Person
from clients.programs import node, running
from clients.settings import SECRET
from clients.test_device_clients import DEVICE_CODE
from server_process import ServerProcess


def users_token(person: Person, server: ServerProcess) -> str:
    """Return the access token of a device that the user let in."""
    with httpx.Client(base_url=server.issuer, timeout=120) as device:
        asked = device.post("/oauth2/device_authorization", data={"client_id": "tv", "scope": "openid email"}).json()
        person.visit(asked["verification_uri_complete"])
        poll = {"client_id": "tv", "grant_type": DEVICE_CODE, "device_code": asked["device_code"]}
        return str(device.post("/oauth2/token", data=poll).json()["access_token"])


def test_openid_client_exchanges_a_token_that_it_was_sent(person: Person, server: ServerProcess) -> None:
    sent = {"SUBJECT_TOKEN": users_token(person, server)}
    environ = {"ISSUER": server.issuer, "CLIENT_ID": "orders", "CLIENT_SECRET": SECRET, **sent}
    with running(node("exchange.mjs"), environ) as service:
        result = service.hear()["result"]

    assert result["tokens"]["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert result["tokens"]["scope"] == "email"
    assert result["introspected"]["sub"] == "ada"
    assert result["introspected"]["aud"] == "https://stock.example"
    assert result["introspected"]["act"]["sub"] == "orders"
    assert result["elsewhere"] == "invalid_target"
    assert result["nonsense"] == "invalid_request"
