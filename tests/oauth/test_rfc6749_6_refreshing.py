"""RFC 6749 §6, refreshing an access token: what every refresh does, whatever its client's policy."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import pytest

from everbearer.oauth.client import AccessTokenFormat
from every_store import ON_EVERY_STORE
from world import SECRET, World, basic, claims_of

pytestmark = ON_EVERY_STORE

EVERY_KIND = pytest.mark.parametrize("client", ["spa", "opaque", "web", "rotating"])


@EVERY_KIND
@pytest.mark.rt("RT-01")
@pytest.mark.spec("RFC 6749", "6", "5.1")
async def test_a_refresh_answers_a_bearer_access_token_and_a_refresh_token(world: World, client: str) -> None:
    token = await world.refresh_token(client)

    answer = await world.refresh(token, client=client)

    assert answer.status == 200
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == 1800
    assert answer.json["scope"] == "openid offline_access"
    assert {"access_token", "refresh_token", "id_token"} <= answer.json.keys()


@pytest.mark.rt("RT-01")
@pytest.mark.spec("RFC 6749", "6")
async def test_a_chain_of_refreshes_goes_on(world: World) -> None:
    token = await world.refresh_token()

    for generation in range(1, 30):
        assert world.generation(token) == generation
        token = (await world.refresh(token)).refresh_token


@pytest.mark.rt("RT-02")
@pytest.mark.spec("OpenID Connect Core", "11")
@pytest.mark.parametrize("client", ["spa", "web"])
async def test_without_offline_access_there_is_no_refresh_token(world: World, client: str) -> None:
    answer = await world.sign_in(client, scope="openid")

    assert answer.status == 200
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "scope", "id_token"}


@pytest.mark.rt("RT-02")
@pytest.mark.spec("OpenID Connect Core", "11")
async def test_offline_access_is_ignored_for_a_client_that_may_not_refresh(world: World) -> None:
    answer = await world.sign_in("no-refresh")

    assert answer.json["scope"] == "openid"
    assert "refresh_token" not in answer.json


@pytest.mark.rt("RT-02")
@pytest.mark.spec("RFC 6749", "3.3")
async def test_a_scope_of_which_nothing_is_left_is_refused(world: World) -> None:
    answer = await world.authorization_response("no-refresh", scope="offline_access")

    assert answer.members["error"] == "invalid_scope"


@pytest.mark.rt("RT-02")
@pytest.mark.spec("OpenID Connect Core", "11", "12")
async def test_offline_access_alone_gives_a_refresh_token_and_no_id_token(world: World) -> None:
    answer = await world.sign_in(scope="offline_access")

    assert answer.status == 200
    assert "id_token" not in answer.json
    assert (await world.refresh(answer.refresh_token)).json.keys() == answer.json.keys()


@pytest.mark.rt("RT-03")
@pytest.mark.spec("RFC 6749", "10.10", "A.17")
async def test_refresh_tokens_look_random(world: World) -> None:
    tokens = [await world.refresh_token() for _ in range(40)]

    assert all(re.fullmatch(r"erb_[A-Za-z0-9_-]{76}", token) for token in tokens)
    letters = Counter("".join(token[10:] for token in tokens))
    total = letters.total()
    entropy = -sum(count / total * math.log2(count / total) for count in letters.values())
    assert entropy * len(tokens[0]) > 256


@pytest.mark.rt("RT-03")
@pytest.mark.spec("RFC 6749", "10.10")
async def test_a_successor_does_not_look_like_its_predecessor(world: World) -> None:
    token = await world.refresh_token()

    successor = (await world.refresh(token)).refresh_token

    same = sum(one == other for one, other in zip(token[7:], successor[7:], strict=True))
    assert same < 20


@pytest.mark.rt("RT-04")
@pytest.mark.spec("RFC 6749", "6")
@pytest.mark.parametrize(
    ("requested", "answered"),
    [
        (None, "openid offline_access read write"),
        ("", "openid offline_access read write"),
        ("+", "openid offline_access read write"),
        ("openid offline_access read write", "openid offline_access read write"),
        ("write openid", "write openid"),
        ("read", "read"),
        ("openid+read", "openid read"),
        ("read read", "read"),
    ],
)
async def test_a_scope_may_be_omitted_equal_or_narrower(world: World, requested: str | None, answered: str) -> None:
    token = await world.refresh_token(scope="openid offline_access read write")

    answer = await world.refresh(token, scope=requested)

    assert answer.json["scope"] == answered
    assert claims_of(answer.access_token)["scope"] == answered


@pytest.mark.rt("RT-04", "RT-37")
@pytest.mark.spec("RFC 6749", "6", "5.2")
@pytest.mark.parametrize("scope", ["openid write", "write", "unknown", "openid,read", "read\x07", 'a"b', "é"])
async def test_a_scope_that_was_not_granted_is_refused_and_spends_nothing(world: World, scope: str) -> None:
    token = await world.refresh_token(scope="openid offline_access read")
    before = await world.grant(token)

    answer = await world.refresh(token, scope=scope)

    assert (answer.status, answer.error) == (400, "invalid_scope")
    assert await world.grant(token) == before


@pytest.mark.rt("RT-05")
@pytest.mark.spec("RFC 6749", "6")
@EVERY_KIND
async def test_the_refresh_token_keeps_the_original_scope_after_a_narrower_access_token(
    world: World, client: str
) -> None:
    token = await world.refresh_token(client, scope="openid offline_access read write")
    narrowed = await world.refresh(token, client=client, scope="read")

    answer = await world.refresh(narrowed.refresh_token, client=client)

    assert narrowed.json["scope"] == "read"
    assert answer.json["scope"] == "openid offline_access read write"


@pytest.mark.rt("RT-05")
@pytest.mark.spec("RFC 6749", "6")
async def test_a_retry_may_ask_for_another_scope_than_its_first_try(world: World) -> None:
    token = await world.refresh_token(scope="openid offline_access read write")
    await world.refresh(token, scope="read")

    answer = await world.refresh(token, scope="write")

    assert answer.json["scope"] == "write"


@pytest.mark.rt("RT-07")
@pytest.mark.spec("RFC 6749", "5.1")
async def test_the_answer_is_json_that_nobody_may_store(world: World) -> None:
    answer = await world.refresh(await world.refresh_token())

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"


@pytest.mark.rt("RT-10", "RT-37")
@pytest.mark.spec("RFC 6749", "6", "10.4")
@pytest.mark.parametrize("thief", ["partner", "web"])
@pytest.mark.parametrize("spent", [False, True])
async def test_another_clients_refresh_token_is_refused_and_its_grant_lives(
    world: World, thief: str, spent: bool
) -> None:
    token = await world.refresh_token("spa")
    if spent:
        await world.refresh(token)

    answer = await world.refresh(token, client=thief)

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert (await world.refresh(token)).status == 200


@pytest.mark.rt("RT-11", "RT-37")
@pytest.mark.spec("RFC 6749", "6", "3.2.1")
@pytest.mark.parametrize(
    "credentials",
    [{"client_secret": None}, {"client_secret": "wrong"}, {"client_secret": ""}, {"client_id": None}],
)
async def test_a_confidential_client_must_authenticate_and_a_failure_spends_nothing(
    world: World, credentials: dict[str, Any]
) -> None:
    token = await world.refresh_token("rotating")

    answer = await world.refresh(token, client="rotating", **credentials)

    assert (answer.status, answer.error) == (401, "invalid_client")
    assert (await world.grant(token)).generation == world.generation(token)


@pytest.mark.rt("RT-12")
@pytest.mark.spec("RFC 6749", "2.1", "2.3")
async def test_a_public_client_that_sends_a_secret_is_refused(world: World) -> None:
    token = await world.refresh_token()

    answer = await world.refresh(token, client_secret="something")

    assert (answer.status, answer.error) == (401, "invalid_client")
    assert (await world.refresh(token, client_secret="")).status == 200


@pytest.mark.rt("RT-37")
@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    "broken",
    [
        {"grant_type": None},
        {"grant_type": "refresh"},
        {"grant_type": "Refresh_Token"},
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "only-refresh"},
        {"scope": "admin"},
        {"client_assertion": "x.y.z", "client_assertion_type": "urn:x"},
    ],
    ids=str,
)
async def test_a_failed_request_of_any_kind_spends_nothing(world: World, broken: dict[str, Any]) -> None:
    token = await world.refresh_token()
    before = await world.grant(token)

    answer = await world.refresh(token, **broken)

    assert answer.status in (400, 401)
    assert await world.grant(token) == before


@pytest.mark.rt("RT-14")
@pytest.mark.spec("OpenID Connect Core", "5.3", "12")
@EVERY_KIND
async def test_userinfo_answers_to_a_refreshed_access_token(world: World, client: str) -> None:
    answer = await world.refresh(await world.refresh_token(client), client=client)

    assert (await world.userinfo(answer.access_token)).json["sub"] == "ada"


@pytest.mark.spec("RFC 6749", "6")
async def test_the_access_token_before_a_refresh_stays_good_until_it_expires(world: World) -> None:
    first = await world.sign_in()

    await world.refresh(first.refresh_token)

    assert (await world.userinfo(first.access_token)).status == 200


@pytest.mark.spec("RFC 6749", "6")
async def test_a_client_that_lost_its_leave_to_refresh_is_refused_and_its_grant_lives(world: World) -> None:
    token = await world.refresh_token()
    before = (await world.client("spa")).grant_types
    await world.change_client("spa", grant_types=("authorization_code",))

    answer = await world.refresh(token)

    assert (answer.status, answer.error) == (400, "unauthorized_client")
    await world.change_client("spa", grant_types=before)
    assert (await world.refresh(token)).status == 200


@pytest.mark.spec("RFC 6749", "2.3", "5.2")
async def test_leave_to_refresh_is_asked_only_after_authentication(world: World) -> None:
    answer = await world.client_credentials("machine", client_secret="wrong", grant_type="refresh_token")

    assert (answer.status, answer.error) == (401, "invalid_client")


@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize(
    "extra", [{"redirect_uri": "https://elsewhere.example/cb"}, {"response_type": "code"}, {"x_device_info": "e30"}]
)
async def test_parameters_that_mean_nothing_here_are_ignored(world: World, extra: dict[str, Any]) -> None:
    answer = await world.refresh(await world.refresh_token("web"), client="web", **extra)

    assert answer.status == 200


@pytest.mark.spec("RFC 6749", "6")
async def test_a_confidential_client_may_refresh_by_http_basic(world: World) -> None:
    token = await world.refresh_token("web")

    answer = await world.refresh(token, client="web", client_id=None, client_secret=None, headers=basic("web", SECRET))

    assert answer.status == 200


@pytest.mark.spec("RFC 6749", "6")
async def test_a_bearer_header_beside_the_form_is_not_client_authentication(world: World) -> None:
    answer = await world.refresh(await world.refresh_token(), headers={"authorization": "Bearer something"})

    assert answer.status == 200


@pytest.mark.spec("RFC 9068", "2")
async def test_a_client_may_change_to_another_kind_of_access_token(world: World) -> None:
    token = await world.refresh_token()
    await world.change_client("spa", access_token_format=AccessTokenFormat.OPAQUE)

    answer = await world.refresh(token)

    assert answer.access_token.startswith("era_")
    assert (await world.userinfo(answer.access_token)).status == 200


@pytest.mark.spec("RFC 6749", "6")
async def test_what_a_client_may_no_longer_have_is_left_out(world: World) -> None:
    token = await world.refresh_token(scope="openid offline_access read")
    await world.change_client("spa", scope=("openid", "offline_access"))

    assert (await world.refresh(token)).json["scope"] == "openid offline_access"


@pytest.mark.spec("RFC 6749", "6")
async def test_a_client_that_may_have_nothing_of_its_grant_is_told(world: World) -> None:
    token = await world.refresh_token(scope="offline_access read")
    await world.change_client("spa", scope=("write",))

    answer = await world.refresh(token)

    assert answer.error == "invalid_scope"
    assert world.generation(token) == (await world.grant(token)).generation
