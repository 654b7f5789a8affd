"""Every order in which a device can poll, be answered, lose its answer and be ended (RFC 8628 §3.5)."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import pytest

from everbearer.oauth.authorization.device_authorization import (
    AskingDevice,
    complete_device_authorization,
    refuse_device_authorization,
)
from everbearer.oauth.client import DEVICE_CODE, REFRESH_TOKEN
from everbearer.oauth.endpoints.token import token_endpoint
from everbearer.oauth.models import Authentication, DeviceAuthorization, DeviceDecision, EndReason, Everything
from everbearer.oauth.tokens.refresh_tokens import seal_device_code
from heart.actors import end_of, ends_all, one_line
from heart.exploring import Actor, Died, Run, Scenario, Script, World, explore, finish, gets_on
from heart.heart_world import (
    NOW,
    SCOPE,
    SPA,
    SUBJECT,
    Answer,
    answered,
    client_request,
    created,
    new_grant,
    sealer,
    server_over,
)

TV = replace(SPA, client_id="tv", redirect_uris=(), grant_types=(DEVICE_CODE, REFRESH_TOKEN))
SAMPLE = new_grant(TV)
ASKED = DeviceAuthorization(
    grant_id=SAMPLE.grant_id,
    user_code="BCDFGHJK",
    client_id="tv",
    scope=SCOPE,
    secret=SAMPLE.secret,
    created_at=NOW,
    expires_at=NOW + 600,
    interval=5,
)
ASKING = AskingDevice(authorization=ASKED, client=TV)
CODE = seal_device_code(ASKED, sealer())
POLL = client_request("/oauth2/token", TV, {"grant_type": DEVICE_CODE, "device_code": CODE}, {})


async def polls(me: Actor) -> None:
    """Poll once, and again for as long as answers are lost, as a device must."""
    while True:
        try:
            me.take(await answered(token_endpoint(POLL, me.server)))
        except Died:
            me.seen = []
            continue
        return


async def allows(me: Actor) -> None:
    signed_in = Authentication(subject=SUBJECT, auth_time=NOW)
    done = await complete_device_authorization(ASKING, signed_in, me.server)
    me.take(Answer(status=200, members={"done": done}))


async def denies(me: Actor) -> None:
    me.take(Answer(status=200, members={"done": await refuse_device_authorization(ASKING, SUBJECT, me.server)}))


def waiting(*actors: tuple[str, Script], decided: bool = False, deaths: int = 0) -> Scenario:
    """Let a device ask, and others act; with `decided` its user has said yes before."""

    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        finish(world.store.put_client(TV, created(SAMPLE)))
        assert finish(world.store.create_device_authorization(ASKED))
        if decided:
            server = server_over(world.store, world.clock, devices=world.store)
            signed_in = Authentication(subject=SUBJECT, auth_time=NOW)
            assert finish(complete_device_authorization(ASKING, signed_in, server))
        for name, script in actors:
            yield name, Actor(world=world, script=script, client=TV, deaths=deaths if script is polls else 0)

    return scenario


def polled_again(run: Run) -> Answer:
    """Return what the device is told at last, after everything."""
    run.world.clock.advance(61)
    store = deepcopy(run.world.store)
    return finish(answered(token_endpoint(POLL, server_over(store, run.world.clock, devices=store))))


@pytest.mark.spec("RFC 8628", "3.5")
def test_two_polls_at_once_and_lost_answers_give_one_refresh_token_that_goes_on() -> None:
    def check(run: Run) -> None:
        one_line(run)
        assert all(answer.ok for answer in run.world.answers)
        assert end_of(run) is None
        assert all(gets_on(run, name) for name in run.actors)

    explored = explore(waiting(("first", polls), ("second", polls), decided=True, deaths=2), check)

    assert explored.outcomes > 1


@pytest.mark.spec("RFC 8628", "3.5")
def test_polls_before_and_after_the_decision_never_strand_the_device() -> None:
    def check(run: Run) -> None:
        heard = {answer.error for answer in run.world.answers if not answer.ok}
        assert heard <= {"authorization_pending", "slow_down"}
        assert polled_again(run).ok

    explored = explore(waiting(("first", polls), ("second", polls), ("user", allows), deaths=1), check)

    assert explored.outcomes > 1


@pytest.mark.spec("RFC 8628", "3.3")
def test_of_a_yes_and_a_no_one_counts_and_the_device_hears_that_one() -> None:
    def check(run: Run) -> None:
        yes, no = (run.actors[name].answers[0].members["done"] for name in ("yes", "no"))
        assert yes is not no
        device = finish(run.world.store.device_authorization(grant_id=ASKED.grant_id))
        assert device is not None
        assert (device.decision is DeviceDecision.ALLOWED) is yes
        assert bool(finish(run.world.store.grants())) is yes
        assert polled_again(run).error == ("" if yes else "access_denied")

    explored = explore(waiting(("yes", allows), ("no", denies), ("device", polls), deaths=1), check)

    assert explored.outcomes > 1


@pytest.mark.spec("RFC 8628", "3.5")
def test_a_poll_in_flight_does_not_outlive_an_end() -> None:
    everything = ends_all(Everything.USER, SUBJECT, EndReason.USER_DISABLED)

    def check(run: Run) -> None:
        one_line(run)
        assert end_of(run) is EndReason.USER_DISABLED
        assert polled_again(run).reason == "user_disabled"

    scenario = waiting(("first", polls), ("second", polls), ("admin", everything), decided=True, deaths=1)
    explored = explore(scenario, check)

    assert explored.outcomes > 1
