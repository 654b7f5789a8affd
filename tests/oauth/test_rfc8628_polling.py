"""RFC 8628 §3.4 and §3.5: a device polls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device_world import allowed_device, ask_device, device
from everbearer.oauth.events import EventKind
from everbearer.oauth.models import DeviceDecision, EndReason, Everything, Happening
from everbearer.oauth.tokens.explain import explain_token
from everbearer.oauth.tokens.refresh_tokens import open_device_code, seal_device_code
from meddled_store import calls_of, meddled, nothing, superseded, unavailable
from world import ANY_STORE, World, claims_of


@pytest.mark.spec("RFC 8628", "3.5")
@pytest.mark.parametrize("client", ["spa", "opaque", "web", "rotating", "native"])
async def test_a_device_whose_user_says_yes_gets_tokens(world: World, client: str) -> None:
    asked = await device(world, client, scope="openid offline_access read")
    assert (await asked.poll()).error == "authorization_pending"
    world.clock.advance(5)
    await asked.allow()
    answer = await asked.poll()

    assert answer.status == 200
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["scope"] == "openid offline_access read"
    assert {"access_token", "refresh_token", "id_token"} <= answer.json.keys()
    assert answer.headers["cache-control"] == "no-store"
    assert claims_of(answer.json["id_token"])["sub"] == "ada"
    assert (await world.refresh(answer.refresh_token, client=client)).status == 200


@pytest.mark.spec("RFC 8628", "3.5")
async def test_a_device_whose_user_has_said_nothing_waits(world: World) -> None:
    answer = await (await device(world)).poll()

    assert (answer.status, answer.error) == (400, "authorization_pending")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.spec("RFC 8628", "3.5")
async def test_a_device_that_keeps_to_its_interval_is_never_told_to_slow_down(world: World) -> None:
    asked = await device(world)
    errors = []
    for _ in range(20):
        errors.append((await asked.poll()).error)
        world.clock.advance(5)

    assert errors == ["authorization_pending"] * 20


@pytest.mark.spec("RFC 8628", "3.5")
@pytest.mark.parametrize(("after", "error"), [(0, "slow_down"), (3, "slow_down"), (4, "authorization_pending")])
async def test_a_poll_that_comes_too_early_is_told_to_slow_down(world: World, after: int, error: str) -> None:
    asked = await device(world)
    await asked.poll()
    world.clock.advance(5)
    await asked.poll()
    world.clock.advance(after)
    answer = await asked.poll()

    assert (answer.status, answer.error) == (400, error)


@pytest.mark.spec("RFC 8628", "3.5")
async def test_each_time_a_device_is_told_so_it_must_wait_five_seconds_longer(world: World) -> None:
    asked = await device(world)
    await asked.poll()
    intervals = []
    for _ in range(20):
        assert (await asked.poll()).error == "slow_down"
        intervals.append((await asked.asking()).authorization.interval)
    world.clock.advance(58)
    still = await asked.poll()
    world.clock.advance(1)

    assert intervals == [10, 15, 20, 25, 30, 35, 40, 45, 50, 55, *[60] * 10]
    assert still.error == "slow_down"
    assert (await asked.poll()).error == "authorization_pending"


@ANY_STORE
async def test_a_longer_interval_of_the_server_never_becomes_shorter(world: World) -> None:
    world.server = replace(world.server, polling_interval=90)
    asked = await device(world)
    await asked.poll()

    assert (await asked.poll()).error == "slow_down"
    assert (await asked.asking()).authorization.interval == 90


@ANY_STORE
async def test_a_device_that_hammers_writes_nothing_in_the_end(world: World) -> None:
    asked = await device(world)
    for _ in range(12):
        await asked.poll()
    watched = meddled(world, "", nothing)
    for _ in range(50):
        await asked.on(watched).poll()

    assert "note_device_poll" not in calls_of(watched)


async def test_of_two_polls_of_one_moment_one_is_too_early(world: World) -> None:
    asked = await device(world)
    first = meddled(world, "note_device_poll", asked.poll)

    assert (await asked.on(first).poll()).error == "slow_down"
    assert (await asked.asking()).authorization.interval == 5


@pytest.mark.spec("RFC 8628", "3.5")
async def test_a_device_whose_user_says_no_is_told_so_and_the_trail_knows(world: World) -> None:
    asked = await device(world)
    await asked.deny()
    answer = await asked.poll()

    assert (answer.status, answer.error) == (400, "access_denied")
    (event, *_) = await world.store.events()
    assert (event.kind, event.actor, event.client_id) == (EventKind.DEVICE_DENIED, "user:ada", "spa")


@pytest.mark.spec("RFC 8628", "3.5")
@pytest.mark.parametrize(("seconds", "error"), [(599, "authorization_pending"), (600, "expired_token")])
async def test_a_device_code_expires(world: World, seconds: int, error: str) -> None:
    asked = await device(world)
    world.clock.advance(seconds)

    assert (await asked.poll()).error == error


async def test_a_device_code_of_long_ago_has_expired(world: World) -> None:
    asked = await device(world)
    await world.end_of_time()

    assert (await asked.poll()).error == "expired_token"


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400)])
async def test_what_is_allowed_in_the_last_second_is_there_for_a_minute(
    world: World, seconds: int, status: int
) -> None:
    asked = await device(world)
    world.clock.advance(599)
    await asked.allow()
    world.clock.advance(seconds)

    answer = await asked.poll()
    assert (answer.status, answer.error) == (status, "" if status == 200 else "expired_token")


async def test_what_is_allowed_early_is_there_until_the_code_expires(world: World) -> None:
    asked = await allowed_device(world)
    world.clock.advance(599)

    assert (await asked.poll()).status == 200


@pytest.mark.spec("RFC 8628", "3.4")
@ANY_STORE
async def test_a_device_code_is_required(world: World) -> None:
    answer = await (await device(world)).poll(device_code=None)

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.parametrize("what", ["garbage", "a code", "a refresh token", "another secret"])
async def test_what_is_no_device_code_is_refused(world: World, what: str) -> None:
    asked = await allowed_device(world)
    other = {
        "garbage": "erd_garbage",
        "a code": await world.authorize(),
        "a refresh token": await world.refresh_token(),
        "another secret": await forged(world, asked.device_code),
    }
    answer = await asked.poll(device_code=other[what])

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert (await asked.poll()).status == 200


async def forged(world: World, device_code: str) -> str:
    """Return a device code as who has the server's secret, and not its database, could make it."""
    presented = open_device_code(device_code, world.server.sealer)
    assert presented is not None
    stored = await world.store.device_authorization(grant_id=presented.grant_id)
    assert stored is not None
    return seal_device_code(replace(stored, secret=bytes(16)), world.server.sealer)


async def test_another_clients_device_code_is_refused_and_stays_good(world: World) -> None:
    await device(world, "partner")
    asked = await allowed_device(world)

    assert (await asked.poll(client="partner")).error == "invalid_grant"
    assert (await asked.poll()).status == 200


@pytest.mark.spec("RFC 6749", "5.2")
@ANY_STORE
async def test_a_client_that_lost_this_grant_gets_nothing(world: World) -> None:
    asked = await allowed_device(world)
    await world.change_client("spa", grant_types=("authorization_code",))

    assert (await asked.poll()).error == "unauthorized_client"


# Answers that are lost


@pytest.mark.spec("RFC 8628", "3.5")
@pytest.mark.parametrize("client", ["spa", "web", "rotating"])
async def test_a_device_whose_answer_was_lost_polls_again_and_gets_the_same_refresh_token(
    world: World, client: str
) -> None:
    asked = await allowed_device(world, client)
    lost = await asked.poll()
    world.clock.advance(15)
    again = await asked.poll()

    assert again.status == 200
    assert again.refresh_token == lost.refresh_token
    assert again.access_token != lost.access_token
    assert (await world.refresh(again.refresh_token, client=client)).status == 200
    assert [entry.happening for entry in (await world.grant(lost.refresh_token)).history][:2] == [
        Happening.ISSUED,
        Happening.RETRIED_LATE,
    ]


async def test_a_prompt_retry_is_told_as_one(world: World) -> None:
    asked = await allowed_device(world)
    await asked.poll()
    grant = await world.grant((await asked.poll()).refresh_token)

    assert [entry.happening for entry in grant.history] == [Happening.ISSUED, Happening.RETRIED]
    assert grant.retries == 1


async def test_a_retry_without_refresh_tokens_gets_an_access_token_of_no_longer_life(world: World) -> None:
    asked = await allowed_device(world, scope="openid")
    await asked.poll()
    world.clock.advance(100)
    again = await asked.poll()

    assert again.json["expires_in"] == 1700
    assert "refresh_token" not in again.json


async def test_of_two_polls_that_fetch_at_once_both_get_the_same(world: World) -> None:
    asked = await allowed_device(world)
    answers = []

    async def other() -> None:
        answers.append(await asked.poll())

    answers.append(await asked.on(meddled(world, "spend", other)).poll())

    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].refresh_token == answers[1].refresh_token


@ANY_STORE
async def test_a_device_that_loses_every_race_is_to_come_again(world: World) -> None:
    asked = await allowed_device(world)
    answer = await asked.on(superseded(world)).poll()

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert (await asked.poll()).status == 200


async def test_a_device_code_that_comes_after_its_refresh_token_was_used_ends_the_grant(world: World) -> None:
    asked = await allowed_device(world)
    second = await world.refresh((await asked.poll()).refresh_token)
    answer = await asked.poll()

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert answer.json["error_uri"] == "https://id.example/ended/code_replayed"
    assert await world.end_reason(second.refresh_token) is EndReason.CODE_REPLAYED
    assert (await world.refresh(second.refresh_token)).error == "invalid_grant"


async def test_a_device_code_from_an_old_log_signs_nobody_out(world: World) -> None:
    asked = await allowed_device(world)
    second = await world.refresh((await asked.poll()).refresh_token)
    world.clock.advance(600)

    assert (await asked.poll()).error == "expired_token"
    assert (await world.refresh(second.refresh_token)).status == 200


async def test_a_device_code_that_is_sent_too_often_is_refused_and_the_grant_lives(world: World) -> None:
    await world.policy("spa", retry_limit=1)
    asked = await allowed_device(world)
    first = await asked.poll()
    await asked.poll()
    answer = await asked.poll()

    assert answer.error == "invalid_grant"
    assert (await world.refresh(first.refresh_token)).status == 200


# What ends meanwhile


@pytest.mark.parametrize("everything", [Everything.USER, Everything.CLIENT])
async def test_a_device_that_was_allowed_before_all_ended_gets_nothing(world: World, everything: Everything) -> None:
    asked = await allowed_device(world)
    await world.end_all(everything, "ada" if everything is Everything.USER else "spa", EndReason.REVOKED_BY_ADMIN)
    answer = await asked.poll()

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert answer.json["error_uri"].endswith("/revoked_by_admin")


async def test_a_device_whose_grant_ends_while_it_fetches_gets_nothing(world: World) -> None:
    asked = await allowed_device(world)

    async def ends() -> None:
        await world.end_all(Everything.USER, "ada", EndReason.USER_DISABLED)

    answer = await asked.on(meddled(world, "spend", ends)).poll()

    assert answer.json["error_uri"].endswith("/user_disabled")


async def test_a_device_stays_when_the_browser_that_let_it_in_signs_out(world: World) -> None:
    asked = await allowed_device(world, scope="openid")
    await world.sign_out("browser")
    answer = await asked.poll()

    assert answer.status == 200
    assert "sid" not in claims_of(answer.json["id_token"])
    assert await world.active(answer.access_token)


async def test_a_grant_that_is_gone_from_the_store_is_invalid(world: World) -> None:
    asked = await allowed_device(world)
    other = await device(world, "partner")
    presented = open_device_code(other.device_code, world.server.sealer)
    assert presented is not None
    waiting = await world.store.device_authorization(grant_id=presented.grant_id)
    assert waiting is not None
    # A store that was restored by halves.
    await world.store.decide_device_authorization(
        replace(waiting, decision=DeviceDecision.ALLOWED), world.event(EventKind.GRANT_CREATED)
    )

    assert (await other.poll()).error == "invalid_grant"
    assert (await asked.poll()).status == 200


@pytest.mark.parametrize("verb", ["device_authorization", "note_device_poll"])
async def test_a_store_in_trouble_is_no_answer(world: World, verb: str) -> None:
    asked = await device(world)
    answer = await asked.on(meddled(world, verb, unavailable)).poll()

    assert (answer.status, answer.error) == (503, "temporarily_unavailable")


@pytest.mark.parametrize("verb", ["grant", "spend"])
async def test_trouble_while_fetching_loses_nothing(world: World, verb: str) -> None:
    asked = await allowed_device(world)
    answer = await asked.on(meddled(world, verb, unavailable)).poll()

    assert answer.status == 503
    assert (await asked.poll()).status == 200


@ANY_STORE
async def test_trouble_while_asking_is_no_answer(world: World) -> None:
    await device(world)
    answer = await ask_device(meddled(world, "create_device_authorization", unavailable))

    assert answer.status == 503


@pytest.mark.parametrize(
    ("state", "alive", "text"),
    [
        ("asked", True, "waits for its user"),
        ("denied", False, "denied"),
        ("expired", False, "expired"),
        ("allowed", True, "not redeemed yet"),
        ("fetched", False, "redeemed"),
        ("purged", False, "not in the store"),
    ],
)
async def test_an_operator_is_told_what_became_of_a_device_code(
    world: World, state: str, alive: bool, text: str
) -> None:
    asked = await device(world)
    if state == "denied":
        await asked.deny()
    elif state in {"allowed", "fetched"}:
        await asked.allow()
    if state == "fetched":
        await asked.poll()
    if state == "expired":
        world.clock.advance(600)
    if state == "purged":
        await world.end_of_time()
    explained = await explain_token(asked.device_code, world.server)

    assert (explained.kind, explained.alive) == ("device_code", alive)
    assert text in explained.text
