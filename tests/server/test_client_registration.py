"""Client registration at the whole server: where it is on, where it is off, and who may call it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from everbearer.oauth.errors import InvalidClientMetadata, OAuthError, TemporarilyUnavailable
from everbearer.oauth.messages import Endpoint, Response
from everbearer.server.config.registration import RegistrationSection
from everbearer.server.outward.fetching import Fetching
from everbearer.server.self_registration import documents
from https_site import framed, site_of
from server.app_world import Browser, members, new_endpoint
from server_process import running_server

REGISTER = "/oauth2/register"
OPEN = RegistrationSection(mode="open", per_address=3)
METADATA = {"client_name": "Calendar", "redirect_uris": ["https://calendar.example/cb"]}
METHODS = "POST, GET, PUT, DELETE, HEAD, OPTIONS"


async def send(
    endpoint: Endpoint, method: str, url: str, content: Any = None, headers: Mapping[str, str] | None = None
) -> Response:
    body = b"" if content is None else json.dumps(content).encode()
    return await Browser(endpoint).send(method, url, body, {"content-type": "application/json", **(headers or {})})


async def test_where_nobody_registers_there_is_no_such_endpoint() -> None:
    endpoint, _ = await new_endpoint()

    answer = await send(endpoint, "POST", REGISTER, METADATA)

    assert (answer.status, answer.error) == (404, "not_found")
    assert "registration_endpoint" not in members(await send(endpoint, "GET", "/.well-known/openid-configuration"))


@pytest.mark.spec("RFC 7591", "3.2.1")
@pytest.mark.spec("RFC 7592", "2")
async def test_a_client_registers_reads_changes_and_deletes_itself_where_the_document_says() -> None:
    endpoint, _ = await new_endpoint(registration=OPEN)
    document = members(await send(endpoint, "GET", "/.well-known/openid-configuration"))
    told = members(await send(endpoint, "POST", document["registration_endpoint"], METADATA))
    own, headers = told["registration_client_uri"], {"authorization": f"Bearer {told['registration_access_token']}"}

    read = await send(endpoint, "GET", own, headers=headers)
    head = await send(endpoint, "HEAD", own, headers=headers)
    changed = await send(endpoint, "PUT", own, {**METADATA, "client_id": told["client_id"], "scope": "openid"}, headers)
    deleted = await send(endpoint, "DELETE", own, headers=headers)
    gone = await send(endpoint, "GET", own, headers=headers)

    assert [each.status for each in (read, head, changed, deleted, gone)] == [200, 200, 200, 204, 401]
    assert head.body == b""
    assert members(changed)["scope"] == "openid"


@pytest.mark.spec("RFC 7592", "2")
async def test_another_method_is_not_allowed() -> None:
    endpoint, _ = await new_endpoint(registration=OPEN)

    answer = await send(endpoint, "PATCH", REGISTER, METADATA)

    assert answer.status == 405
    assert dict(answer.headers)["Allow"] == METHODS


async def test_scripts_of_any_origin_may_register_for_none_of_theirs_is_known_yet() -> None:
    endpoint, _ = await new_endpoint(registration=OPEN)
    asking = {"origin": "https://calendar.example", "access-control-request-method": "PUT"}

    preflight = dict((await send(endpoint, "OPTIONS", REGISTER, headers=asking)).headers)
    answer = dict((await send(endpoint, "POST", REGISTER, METADATA, {"origin": asking["origin"]})).headers)

    assert "PUT" in preflight["Access-Control-Allow-Methods"]
    assert preflight["Access-Control-Allow-Origin"] == answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in preflight.keys() | answer.keys()


async def test_one_address_registers_so_many_and_then_waits() -> None:
    endpoint, _ = await new_endpoint(registration=OPEN)
    answers = [await send(endpoint, "POST", REGISTER, METADATA) for _ in range(4)]

    assert [answer.status for answer in answers] == [201, 201, 201, 429]
    assert int(dict(answers[3].headers)["Retry-After"]) > 0


async def test_a_name_of_the_service_is_nobody_elses() -> None:
    endpoint, _ = await new_endpoint(registration=OPEN)

    answer = await send(endpoint, "POST", REGISTER, {**METADATA, "client_name": "EverBearer"})

    assert (answer.status, answer.error) == (400, "invalid_client_metadata")


async def test_what_clients_name_is_fetched_and_what_is_wrong_with_it_is_told() -> None:
    async with site_of(None, {"/sector": framed(b'["x"]'), "/busy": framed(b"", b"HTTP/1.1 503 Busy\r\n")}) as site:
        fetch = documents(Fetching(private=True))
        here = f"http://127.0.0.1:{site.port}"

        assert await fetch(f"{here}/sector") == '["x"]'
        with pytest.raises(TemporarilyUnavailable, match="sector_identifier_uri answers 503"):
            await fetch(f"{here}/busy")
        with pytest.raises(InvalidClientMetadata, match="sector_identifier_uri is not an https URL"):
            await documents(Fetching())(f"{here}/sector")


async def test_private_addresses_are_not_asked() -> None:
    with pytest.raises(OAuthError, match="leads to an address that is not public"):
        await documents(Fetching())("https://localhost/sector")


def test_a_running_server_registers_who_has_a_token_once_and_lets_it_manage_itself(tmp_path: Path) -> None:
    with running_server(tmp_path, '[registration]\nmode = "token"\n') as server, httpx.Client(timeout=120) as http:
        token = server.command("registration", "token", "create")["token"]
        where = http.get(f"{server.issuer}/.well-known/openid-configuration").json()["registration_endpoint"]
        nobody, first, second = (
            http.post(where, json=METADATA, headers=headers)
            for headers in ({}, {"authorization": f"Bearer {token}"}, {"authorization": f"Bearer {token}"})
        )
        told = first.json()
        own = {"authorization": f"Bearer {told['registration_access_token']}"}
        read = http.get(told["registration_client_uri"], headers=own)
        changed = http.put(
            told["registration_client_uri"], headers=own, json={**METADATA, "client_id": told["client_id"]}
        )
        deleted = http.delete(told["registration_client_uri"], headers=own)
        clients = server.command("client", "list")

    assert [answer.status_code for answer in (nobody, first, second)] == [401, 201, 401]
    assert [answer.status_code for answer in (read, changed, deleted)] == [200, 200, 204]
    assert clients == []
    assert token not in server.told()
    assert told["client_secret"] not in server.told()
    assert told["registration_access_token"] not in server.told()
