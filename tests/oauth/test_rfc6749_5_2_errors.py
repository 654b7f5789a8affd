"""RFC 6749 §3.2 and §5.2: what the token endpoint reads, and how it says no."""

from __future__ import annotations

import json
from typing import Any

import pytest

from everbearer.oauth.endpoints.token import token_endpoint
from world import ALLOWED, ANY_STORE, SECRET, World

pytestmark = ANY_STORE

GARBAGE = {
    "short": "x",
    "prefix alone": "erb_",
    "not base64": "erb_!!!",
    "padded": "erb_AAAA====",
    "zeros": "erb_" + "A" * 76,
    "huge": "erb_" + "A" * 200_000,
    "huge and odd": "é" * 50_000,
    "Unicode": "\u202erb_\U0001f36a\u00df",
    "control characters": "erb_\x01\x02\x7f",
    "a JWT": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.",
    "a JWT of ours in shape": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.e30.AAAA",
    "an Authgear token": "5385267f-6c0a-4c0a-9d3e-3c3b7f0f5c5e.Z8vxeBZ6TXabcdefghijklmnopqrstuv",
    "a League token": "def50200" + "ab" * 370,
    "only dots": "...",
    "SQL": "erb_' OR 1=1 --",
    "a new line": "erb_\nAAAA",
    "spaces": "   ",
}


@pytest.mark.rt("RT-74", "RT-75")
@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize("token", GARBAGE.values(), ids=GARBAGE)
async def test_a_refresh_token_that_is_none_of_ours_is_an_invalid_grant(world: World, token: str) -> None:
    answer = await world.refresh(token)

    assert (answer.status, answer.error) == (400, "invalid_grant")


@pytest.mark.rt("RT-74", "RT-75")
@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize("token", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_is_no_server_error_at_any_endpoint(world: World, token: str) -> None:
    assert (await world.redeem(token)).error == "invalid_grant"
    assert (await world.introspect(token)).json == {"active": False}
    assert (await world.revoke(token)).status == 200
    assert (await world.userinfo(token)).status == 401
    assert (await world.userinfo(None, method="POST", form={"access_token": token})).status == 401


@pytest.mark.rt("RT-75")
@pytest.mark.spec("RFC 6749", "1.5")
@pytest.mark.parametrize("kind", ["access_token", "id_token", "code"])
async def test_another_kind_of_token_is_no_refresh_token(world: World, kind: str) -> None:
    code = await world.authorize()
    answer = await world.redeem(code)
    token = code if kind == "code" else answer.json[kind]

    refused = await world.refresh(token)

    assert (refused.status, refused.error) == (400, "invalid_grant")
    assert await world.end_reason(answer.refresh_token) is None


@pytest.mark.rt("RT-75")
@pytest.mark.spec("RFC 6749", "4.1.3")
async def test_a_refresh_token_is_no_code(world: World) -> None:
    token = await world.refresh_token()

    assert (await world.redeem(token)).error == "invalid_grant"
    assert (await world.redeem("erc_" + token[4:])).error == "invalid_grant"
    assert (await world.refresh(token)).status == 200


@pytest.mark.spec("RFC 6749", "5.2")
async def test_an_opaque_access_token_is_no_refresh_token(world: World) -> None:
    answer = await world.sign_in("opaque")

    assert (await world.refresh("erb_" + answer.access_token[4:], client="opaque")).error == "invalid_grant"


@pytest.mark.rt("RT-08")
@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize("name", ["grant_type", "refresh_token", "client_id", "scope", "unheard_of"])
@pytest.mark.parametrize("value", ["same", "other"])
async def test_a_parameter_sent_twice_is_refused_and_spends_nothing(world: World, name: str, value: str) -> None:
    token = await world.refresh_token()
    pairs = [("grant_type", "refresh_token"), ("client_id", "spa"), ("refresh_token", token), ("scope", "openid")]
    first = dict(pairs).get(name, "same")
    again = [(name, first if value == "same" else "other")]
    if name == "unheard_of":
        again *= 2

    answer = await world.token([*pairs, *again])

    assert (answer.status, answer.error) == (400, "invalid_request")
    assert name in answer.json["error_description"]
    assert (await world.grant(token)).generation == 1


@pytest.mark.rt("RT-09")
@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
async def test_a_request_without_a_form_is_refused_and_spends_nothing(world: World, method: str) -> None:
    token = await world.refresh_token()
    form = {"grant_type": "refresh_token", "client_id": "spa", "refresh_token": token}

    answer = await world.send(token_endpoint, form, method=method)

    assert (answer.status, answer.error) == (400, "invalid_request")
    assert (await world.grant(token)).generation == 1


@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
async def test_another_content_type_is_refused_and_told_what_to_send(world: World, content_type: str) -> None:
    answer = await world.token("grant_type=refresh_token", headers={"content-type": content_type})

    assert (answer.status, answer.error) == (400, "invalid_request")
    assert "application/x-www-form-urlencoded" in answer.json["error_description"]


@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize("suffix", ["; charset=UTF-8", ";charset=iso-8859-1", " "])
async def test_parameters_of_the_content_type_and_its_case_do_not_matter(world: World, suffix: str) -> None:
    token = await world.refresh_token()

    answer = await world.refresh(token, headers={"content-type": "Application/X-WWW-Form-Urlencoded" + suffix})

    assert answer.status == 200


@pytest.mark.spec("RFC 6749", "3.2")
async def test_json_that_is_declared_as_a_form_is_read(world: World) -> None:
    token = await world.refresh_token()
    form = {"grant_type": "refresh_token", "client_id": "spa", "refresh_token": token, "scope": "", "state": None}

    assert (await world.token(json.dumps(form))).status == 200


@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize(
    "body",
    [
        "{",
        "{}",
        '{"grant_type": 1}',
        '{"grant_type": ["refresh_token"]}',
        '{"grant_type": {"refresh_token": "x"}}',
        '{"grant_type": "refresh_token", "grant_type": "refresh_token"}',
        '{"grant_type": "refresh_token", "client_id": "\\ud800", "refresh_token": "x"}',
        '{"grant_type": "refresh_token", "client_id": "spa", "refresh_token": "a.\\udc00.c"}',
        '{"grant_type": "refresh_token", "client_id": "\\u0000"}',
        '{"\\ud800": "x"}',
        '{"a":' * 100_000,
    ],
    ids=range(11),
)
async def test_json_that_is_no_flat_form_is_refused(world: World, body: str) -> None:
    answer = await world.token(body)

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 6749", "3.2", "B")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"grant_type=refresh_token%00",
        b"grant_type=%ff%fe",
        "grant_type=refr\u00e9sh".encode(),
        b"\xff\xfe\x00",
        "&".join(f"p{number}=1" for number in range(101)).encode(),
        b"&&&==&=",
        b"grant_type",
    ],
    ids=range(8),
)
async def test_a_malformed_form_is_refused(world: World, body: bytes) -> None:
    answer = await world.token(body)

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 6749", "B")
async def test_a_form_is_decoded_as_utf_8_with_plus_for_space(world: World) -> None:
    token = await world.refresh_token(scope="openid offline_access read")
    form = f"grant_type=refresh%5Ftoken&client_id=spa&refresh_token={token}&scope=openid+re%61d&x=%C3%A9&&y=1&"

    answer = await world.token(form)

    assert answer.json["scope"] == "openid read"


@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize("name", ["grant_type", "refresh_token"])
@pytest.mark.parametrize("value", [None, ""])
async def test_a_parameter_that_is_missing_or_empty_is_named(world: World, name: str, value: str | None) -> None:
    changes: dict[str, Any] = {name: value}

    answer = await world.refresh("x", **changes)

    assert (answer.status, answer.error) == (400, "invalid_request")
    assert name in answer.json["error_description"]


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize("grant_type", ["password", "implicit", "REFRESH_TOKEN", "urn:ietf:params:oauth:grant-type:x"])
async def test_a_grant_type_that_is_not_offered_is_unsupported(world: World, grant_type: str) -> None:
    answer = await world.refresh("x", grant_type=grant_type)

    assert (answer.status, answer.error) == (400, "unsupported_grant_type")


@pytest.mark.spec("RFC 6749", "5.2")
async def test_a_grant_type_that_is_not_the_clients_is_unauthorized(world: World) -> None:
    answer = await world.client_credentials("web")

    assert (answer.status, answer.error) == (400, "unauthorized_client")


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "refresh_token", "client_id": "spa", "refresh_token": "x"},
        {"grant_type": "refresh_token", "client_id": "web", "client_secret": "wrong"},
        {"grant_type": "nothing", "client_id": "spa"},
        {},
    ],
    ids=range(4),
)
async def test_every_error_is_json_that_nobody_may_store(world: World, form: dict[str, str]) -> None:
    answer = await world.token(form)

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert {"error", "error_description"} == answer.json.keys()


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize("scope", ['say "hi"', "back\\slash", "umlaut \u00e4", "line\nbreak", "<script>", "x" * 500])
async def test_an_error_description_has_only_the_characters_it_may_have(world: World, scope: str) -> None:
    answer = await world.refresh(await world.refresh_token(), scope=scope)

    assert answer.error == "invalid_scope"
    assert ALLOWED.fullmatch(answer.json["error_description"])
    assert len(answer.json["error_description"]) < 300


@pytest.mark.spec("RFC 6749", "5.2")
async def test_an_error_echoes_no_token_back(world: World) -> None:
    token = await world.refresh_token()

    answer = await world.refresh(token, client="partner")

    assert token not in answer.body.decode()


@pytest.mark.spec("RFC 6749", "2.3.1", "3.2")
async def test_what_stands_in_the_query_is_not_read(world: World) -> None:
    token = await world.refresh_token("web")
    query = f"client_id=web&client_secret={SECRET}&refresh_token={token}"

    in_body = {"grant_type": "refresh_token", "refresh_token": token}
    without_client = await world.send(token_endpoint, in_body, query=query)
    without_token = await world.send(token_endpoint, {"grant_type": "refresh_token", "client_id": "spa"}, query=query)

    assert without_client.error == "invalid_client"
    assert without_token.error == "invalid_request"


@pytest.mark.spec("RFC 6749", "3.2")
async def test_an_array_is_no_parameter(world: World) -> None:
    token = await world.refresh_token()

    answer = await world.token({"grant_type": "refresh_token", "client_id": "spa", "refresh_token[]": token})

    assert (answer.status, answer.error) == (400, "invalid_request")
