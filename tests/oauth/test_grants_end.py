"""How grants end, each for one reason, and that no refresh in flight brings one back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import pytest

from everbearer.oauth.events import EventKind
from everbearer.oauth.models import EndReason, Everything
from every_store import ON_EVERY_STORE
from meddled_store import meddled, superseded
from world import NOW, World

pytestmark = ON_EVERY_STORE

End = Callable[[World, str], Awaitable[None]]


async def _revoke(world: World, token: str) -> None:
    await world.revoke(token)


async def _replay_the_code(world: World, token: str) -> None:
    grant = await world.grant(token)
    await world.store.end_grant(grant.grant_id, world.ended(EndReason.CODE_REPLAYED))


async def _change_password(world: World, token: str) -> None:
    await world.end_all(Everything.USER, (await world.grant(token)).subject, EndReason.PASSWORD_CHANGED)


async def _disable_user(world: World, token: str) -> None:
    await world.end_all(Everything.USER, (await world.grant(token)).subject, EndReason.USER_DISABLED)


async def _withdraw_consent(world: World, token: str) -> None:
    await world.withdraw_consent((await world.grant(token)).client_id)


async def _end_all_of_client(world: World, token: str) -> None:
    await world.end_all(Everything.CLIENT, (await world.grant(token)).client_id, EndReason.REVOKED_BY_ADMIN)


async def _delete_client(world: World, token: str) -> None:
    await world.delete_client((await world.grant(token)).client_id)


async def _disable_client(world: World, token: str) -> None:
    client = await world.client((await world.grant(token)).client_id)
    await world.end_all(Everything.CLIENT, client.client_id, EndReason.CLIENT_DISABLED)


ENDS: Mapping[str, tuple[End, EndReason]] = {
    "RT-50 revoked": (_revoke, EndReason.REVOKED_BY_CLIENT),
    "RT-53 password changed": (_change_password, EndReason.PASSWORD_CHANGED),
    "RT-54 user disabled": (_disable_user, EndReason.USER_DISABLED),
    "RT-55 consent withdrawn": (_withdraw_consent, EndReason.CONSENT_WITHDRAWN),
    "RT-56 client disabled": (_disable_client, EndReason.CLIENT_DISABLED),
    "RT-56 client deleted": (_delete_client, EndReason.CLIENT_DELETED),
    "all of a client revoked": (_end_all_of_client, EndReason.REVOKED_BY_ADMIN),
    "RT-57 code replayed": (_replay_the_code, EndReason.CODE_REPLAYED),
}
EVERY_END = pytest.mark.parametrize("how", ENDS)


@EVERY_END
@pytest.mark.rt("RT-50", "RT-53", "RT-54", "RT-55", "RT-56", "RT-57")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_an_ended_grant_refreshes_no_more_and_says_why(world: World, how: str) -> None:
    end, reason = ENDS[how]
    token = await world.refresh_token()
    successor = (await world.refresh(token)).refresh_token

    await end(world, successor)

    for dead in (successor, token):
        answer = await world.refresh(dead)
        assert answer.error == ("invalid_client" if how == "RT-56 client deleted" else "invalid_grant")
        assert answer.json.get("error_uri", reason).endswith(reason)
    assert await world.end_reason(token) is reason


@EVERY_END
@pytest.mark.rt("RT-58")
@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("client", ["spa", "rotating", "web"])
@pytest.mark.parametrize("spent", [False, True], ids=["a refresh", "a retry"])
@pytest.mark.parametrize("verb", ["grant", "spend"])
async def test_a_grant_that_ends_while_it_is_refreshed_stays_dead(
    world: World, client: str, how: str, verb: str, spent: bool
) -> None:
    end, reason = ENDS[how]
    token = await world.refresh_token(client)
    world.clock.advance(61)
    newest = (await world.refresh(token, client=client)).refresh_token if spent else token
    world.clock.advance(61)
    meanwhile = meddled(world, verb, lambda: end(world, newest))

    answer = await meanwhile.refresh(token, client=client)

    assert answer.status == 400
    assert answer.error == "invalid_grant"
    assert await world.end_reason(token) is reason
    assert (await world.refresh(newest, client=client)).status in (400, 401)


@EVERY_END
@pytest.mark.rt("RT-58")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_grant_that_ends_just_after_it_was_refreshed_takes_the_new_tokens_along(world: World, how: str) -> None:
    end, _ = ENDS[how]
    token = await world.refresh_token()
    meanwhile = meddled(world, "spend", lambda: end(world, token), after=True)

    answer = await meanwhile.refresh(token)

    assert answer.status == 200
    assert not await world.active(answer.access_token)
    assert (await world.refresh(answer.refresh_token)).status in (400, 401)


@pytest.mark.rt("RT-52")
@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.7")
async def test_signing_out_ends_online_grants_and_leaves_offline_ones(world: World) -> None:
    online = await world.sign_in(scope="openid")
    offline = await world.sign_in(scope="openid offline_access")

    await world.sign_out("browser")

    assert not await world.active(online.access_token)
    assert await world.active(offline.access_token)
    assert (await world.refresh(offline.refresh_token)).status == 200


@pytest.mark.rt("RT-52")
@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.7")
async def test_signing_out_in_one_browser_leaves_another_signed_in(world: World) -> None:
    here = await world.sign_in(scope="openid")
    there = await world.sign_in(scope="openid", authentication=world.authentication(session_id="another"))

    await world.sign_out("browser")

    assert [await world.active(answer.access_token) for answer in (here, there)] == [False, True]


@pytest.mark.rt("RT-56")
@pytest.mark.spec("RFC 6749", "5.2")
async def test_a_disabled_client_cannot_refresh_until_it_is_enabled_again(world: World) -> None:
    token = await world.refresh_token()
    await world.change_client("spa", disabled_at=NOW)
    refused = await world.refresh(token)
    await world.change_client("spa", disabled_at=None)

    assert (refused.status, refused.error) == (401, "invalid_client")
    assert (await world.refresh(token)).status == 200


@pytest.mark.rt("RT-56")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_deleted_client_that_is_created_again_gets_nothing_back(world: World) -> None:
    token = await world.refresh_token()
    client = await world.client("spa")
    await world.delete_client("spa")
    await world.store.put_client(client, world.event(EventKind.CLIENT_CREATED))

    answer = await world.refresh(token)

    assert answer.error == "invalid_grant"
    assert answer.json["error_uri"].endswith("/client_deleted")


@pytest.mark.rt("RT-53", "RT-55")
@pytest.mark.spec("RFC 9700", "4.14.2")
@EVERY_END
async def test_the_grants_of_others_live_on(world: World, how: str) -> None:
    end, _ = ENDS[how]
    token = await world.refresh_token("spa")
    other = await world.refresh_token("web", authentication=world.authentication(subject="eve"))

    await end(world, token)

    assert (await world.refresh(other, client="web")).status == 200


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_what_is_granted_after_an_end_of_all_is_alive(world: World) -> None:
    for everything, key in [(Everything.USER, "ada"), (Everything.CLIENT, "spa"), (Everything.CONSENT, "ada spa")]:
        await world.end_all(everything, key, EndReason.REVOKED_BY_ADMIN)

    assert (await world.refresh(await world.refresh_token())).status == 200


@pytest.mark.rt("RT-58")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_of_two_refreshes_at_once_both_get_the_same_successor(world: World) -> None:
    token = await world.refresh_token()
    winners: list[str] = []

    async def win() -> None:
        winners.append((await world.refresh(token)).refresh_token)

    loser = await meddled(world, "spend", win).refresh(token)

    assert loser.status == 200
    assert [loser.refresh_token] == winners
    assert (await world.refresh(loser.refresh_token)).status == 200


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_refresh_that_loses_to_a_thief_of_the_successor_ends_the_grant(world: World) -> None:
    token = await world.refresh_token()

    async def refresh_twice() -> None:
        await world.refresh((await world.refresh(token)).refresh_token)

    answer = await meddled(world, "spend", refresh_twice).refresh(token)

    assert answer.error == "invalid_grant"
    assert await world.end_reason(token) is EndReason.REUSED


@pytest.mark.spec("RFC 6749", "5.2")
async def test_a_refresh_that_loses_every_race_asks_to_come_again_and_ends_nothing(world: World) -> None:
    token = await world.refresh_token()

    answer = await superseded(world).refresh(token)

    assert (answer.status, answer.error) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert (await world.refresh(token)).status == 200


@pytest.mark.spec("RFC 7009", "2")
async def test_a_grant_ends_once(world: World) -> None:
    token = await world.refresh_token()
    grant_id = (await world.grant(token)).grant_id

    first = await world.store.end_grant(grant_id, world.ended(EndReason.SIGNED_OUT))
    second = await world.store.end_grant(grant_id, world.ended(EndReason.REVOKED_BY_ADMIN))

    assert (first, second) == (True, False)
    assert await world.end_reason(token) is EndReason.SIGNED_OUT
