"""RFC 6749 §4.1.3, redeeming an authorization code."""

from __future__ import annotations

import re
from typing import Any

import pytest

from everbearer.oauth.models import EndReason
from everbearer.oauth.store import Spend
from meddled_store import meddled
from world import World


@pytest.mark.spec("RFC 6749", "4.1.3", "4.1.4")
@pytest.mark.parametrize("client", ["spa", "opaque", "web", "rotating", "native"])
async def test_a_code_is_redeemed_for_tokens(world: World, client: str) -> None:
    answer = await world.sign_in(client, scope="openid offline_access read")

    assert answer.status == 200
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == 1800
    assert answer.json["scope"] == "openid offline_access read"
    assert {"access_token", "refresh_token", "id_token"} <= answer.json.keys()
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.spec("RFC 6749", "4.1.2", "10.10")
async def test_a_code_has_only_characters_that_need_no_encoding(world: World) -> None:
    codes = [await world.authorize() for _ in range(10)]

    assert all(re.fullmatch(r"erc_[A-Za-z0-9_-]{76}", code) for code in codes)
    assert len(set(codes)) == 10


@pytest.mark.rt("RT-57")
@pytest.mark.spec("RFC 6749", "4.1.2", "10.5")
async def test_a_code_redeemed_twice_is_refused_and_ends_what_it_gave(world: World) -> None:
    code = await world.authorize()
    first = await world.redeem(code)

    answer = await world.redeem(code)

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert answer.json["error_uri"] == "https://id.example/ended/code_replayed"
    assert await world.end_reason(code) is EndReason.CODE_REPLAYED
    assert (await world.refresh(first.refresh_token)).error == "invalid_grant"
    assert not await world.active(first.access_token)


@pytest.mark.rt("RT-57")
@pytest.mark.spec("RFC 6749", "4.1.2")
async def test_a_code_that_comes_again_after_refreshes_ends_their_tokens_too(world: World) -> None:
    code = await world.authorize()
    second = await world.refresh((await world.redeem(code)).refresh_token)

    await world.redeem(code)

    assert (await world.refresh(second.refresh_token)).error == "invalid_grant"
    assert not await world.active(second.access_token)


@pytest.mark.rt("RT-57")
@pytest.mark.spec("RFC 6749", "4.1.2")
async def test_a_code_without_refresh_tokens_that_comes_again_ends_its_access_token(world: World) -> None:
    code = await world.authorize(scope="openid")
    first = await world.redeem(code)

    await world.redeem(code)

    assert not await world.active(first.access_token)


@pytest.mark.spec("RFC 6749", "4.1.2")
async def test_of_two_that_redeem_one_code_at_once_one_is_refused_and_nothing_lives(world: World) -> None:
    code = await world.authorize()
    first = meddled(world, "spend", lambda: world.redeem(code))

    answer = await first.redeem(code)

    assert answer.error == "invalid_grant"
    assert await world.end_reason(code) is EndReason.CODE_REPLAYED


@pytest.mark.spec("RFC 6749", "4.1.3")
async def test_a_code_whose_grant_ends_while_it_is_redeemed_gives_nothing(world: World) -> None:
    code = await world.authorize()
    grant = await world.grant(code)
    meanwhile = meddled(world, "spend", lambda: world.store.end_grant(grant.grant_id, world.ended()))

    answer = await meanwhile.redeem(code)

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert await world.store.spend(grant, expected=0) is Spend.ENDED


@pytest.mark.spec("RFC 6749", "4.1.2")
@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400), (3600, 400)])
async def test_a_code_expires_after_a_minute(world: World, seconds: int, status: int) -> None:
    code = await world.authorize()
    world.clock.advance(seconds)

    assert (await world.redeem(code)).status == status


@pytest.mark.spec("RFC 6749", "4.1.3")
@pytest.mark.parametrize("thief", ["partner", "web"])
async def test_another_clients_code_is_refused_and_stays_good(world: World, thief: str) -> None:
    code = await world.authorize()

    answer = await world.redeem(code, client=thief)

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert (await world.redeem(code)).status == 200


@pytest.mark.spec("RFC 6749", "4.1.3")
async def test_a_replay_by_another_client_ends_nothing(world: World) -> None:
    code = await world.authorize()
    first = await world.redeem(code)

    await world.redeem(code, client="partner")

    assert (await world.refresh(first.refresh_token)).status == 200


@pytest.mark.spec("RFC 6749", "4.1.3")
@pytest.mark.parametrize("client", ["spa", "web"])
@pytest.mark.parametrize("uri", [None, "", "https://elsewhere.example/cb", "https://spa.example/cb/", "x"])
async def test_a_redirect_uri_that_is_not_the_one_of_the_request_is_refused(
    world: World, client: str, uri: str | None
) -> None:
    code = await world.authorize(client)

    answer = await world.redeem(code, client=client, redirect_uri=uri)

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert (await world.redeem(code, client=client)).status == 200


@pytest.mark.spec("RFC 6749", "4.1.3", "3.1.2.3")
@pytest.mark.parametrize(("uri", "status"), [(None, 200), ("https://web.example/cb", 200), ("x", 400)])
async def test_a_redirect_uri_that_was_left_out_may_be_left_out_again(
    world: World, uri: str | None, status: int
) -> None:
    code = await world.authorize("web", scope="read", redirect_uri=None)

    assert (await world.redeem(code, client="web", redirect_uri=uri)).status == status


@pytest.mark.spec("RFC 6749", "4.1.3")
@pytest.mark.parametrize(
    ("registered", "from_a_browser"),
    [
        ("http://localhost:9200", "http://localhost:9200/"),
        ("https://spa.example/cb?x=1", "https://spa.example/cb"),
        ("https://spa.example?x=1", "https://spa.example/"),
    ],
)
async def test_a_script_may_spell_the_redirect_uri_as_its_browser_does(
    world: World, registered: str, from_a_browser: str
) -> None:
    for client in ("spa", "web"):
        await world.change_client(client, redirect_uris=(registered,))

    public = await world.redeem(await world.authorize(), redirect_uri=from_a_browser)
    confidential = await world.redeem(await world.authorize("web"), client="web", redirect_uri=from_a_browser)

    assert public.status == 200
    assert confidential.error == "invalid_grant"


@pytest.mark.spec("RFC 6749", "4.1.3")
@pytest.mark.parametrize("extra", [{"response_type": "code"}, {"scope": "openid+offline_access"}, {"scope": "admin"}])
async def test_parameters_of_the_authorization_request_are_ignored_when_a_code_is_redeemed(
    world: World, extra: dict[str, Any]
) -> None:
    answer = await world.redeem(await world.authorize("web"), client="web", **extra)

    assert answer.json["scope"] == "openid offline_access"


@pytest.mark.spec("RFC 6749", "4.1.3")
async def test_a_code_is_required(world: World) -> None:
    answer = await world.redeem("")

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 6749", "4.1.3")
async def test_a_code_that_was_revoked_before_it_was_redeemed_says_why(world: World) -> None:
    code = await world.authorize()
    await world.store.end_grant((await world.grant(code)).grant_id, world.ended(EndReason.SIGNED_OUT))

    answer = await world.redeem(code)

    assert answer.json["error_uri"].endswith("/signed_out")


@pytest.mark.spec("RFC 6749", "4.1.3")
async def test_a_forged_code_for_a_grant_that_is_there_is_refused_and_ends_nothing(world: World) -> None:
    code = await world.authorize()
    forged = code[:-1] + ("A" if code[-1] != "A" else "B")

    assert (await world.redeem(forged)).error == "invalid_grant"
    assert (await world.redeem(code)).status == 200


@pytest.mark.spec("RFC 6749", "4.1.2")
async def test_a_code_from_an_old_log_signs_nobody_out(world: World) -> None:
    code = await world.authorize()
    token = (await world.redeem(code)).refresh_token
    world.clock.advance(601)

    assert (await world.redeem(code)).error == "invalid_grant"
    assert (await world.refresh(token)).status == 200
