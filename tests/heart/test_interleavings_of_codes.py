"""Every order in which an authorization code can be redeemed, stolen and ended (RFC 6749 §4.1.2)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from everbearer.oauth.models import EndReason, Everything, consent_key
from heart.actors import (
    end_of,
    ends_all,
    one_line,
    orders,
)
from heart.exploring import Actor, Run, Scenario, Script, World, explore, finish, gets_on
from heart.heart_world import (
    SPA,
    SUBJECT,
    code_of,
    created,
    fill,
    new_grant,
    redeem,
)


async def redeems(me: Actor) -> None:
    me.take(await redeem(me.server, me.client, me.holds))


async def redeems_without_verifier(me: Actor) -> None:
    me.take(await redeem(me.server, me.client, me.holds, verifier="w" * 43))


def redemption(*others: tuple[str, Script], deaths: int = 0) -> Scenario:
    """One who redeems a code, amid others who hold the same."""

    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        grant = new_grant(SPA)
        finish(world.store.put_client(SPA, created(grant)))
        finish(fill(world.store, grant))
        for name, script in (("first", redeems), *others):
            dies = deaths if script is redeems else 0
            yield name, Actor(world=world, script=script, client=SPA, holds=code_of(grant), deaths=dies)

    return scenario


@pytest.mark.rt("RT-57")
@pytest.mark.spec("RFC 6749", "4.1.2")
def test_of_two_redeemers_one_is_answered_and_what_it_got_is_revoked() -> None:
    def check(run: Run) -> None:
        one_line(run)
        assert sum(answer.ok for answer in run.world.answers) == 1
        assert end_of(run) is EndReason.CODE_REPLAYED

    explored = explore(redemption(("second", redeems)), check, merge=False)

    # Each reads and spends; who reads or spends too late ends the grant instead.
    assert explored.schedules == orders(2, 2)


@pytest.mark.rt("RT-57", "RT-67")
def test_a_crash_in_a_redemption_never_leaves_two_answers() -> None:
    def check(run: Run) -> None:
        one_line(run)
        answered = [name for name, actor in run.actors.items() if any(answer.ok for answer in actor.answers)]
        assert len(answered) <= 1
        assert end_of(run) in (None, EndReason.CODE_REPLAYED)
        if end_of(run) is None and answered:
            assert gets_on(run, answered[0])
        if end_of(run) is None and not answered:
            (grant,) = finish(run.world.store.grants())
            # Both died: before the spend the code is still good, after it the answer is lost with the code.
            assert grant.generation in (0, 1)
            assert (grant.code is None) is (grant.generation == 1)

    explored = explore(redemption(("second", redeems), deaths=1), check)

    assert explored.schedules > orders(2, 2)


@pytest.mark.rt("RT-57", "RT-58")
def test_a_redemption_in_flight_does_not_outlive_an_end() -> None:
    everything = ends_all(Everything.CONSENT, consent_key(SUBJECT, SPA.client_id), EndReason.CONSENT_WITHDRAWN)

    def check(run: Run) -> None:
        one_line(run)
        assert end_of(run) in (EndReason.CONSENT_WITHDRAWN, EndReason.CODE_REPLAYED)

    explored = explore(redemption(("second", redeems), ("user", everything), deaths=1), check)

    assert explored.schedules > orders(2, 2, 1)


@pytest.mark.spec("RFC 7636", "4.6")
def test_a_code_without_its_verifier_never_gives_tokens() -> None:
    def check(run: Run) -> None:
        one_line(run)
        assert not any(answer.ok for answer in run.actors["thief"].answers)
        assert run.actors["first"].answers[0].ok
        assert end_of(run) in (None, EndReason.CODE_REPLAYED)

    explored = explore(redemption(("thief", redeems_without_verifier)), check)

    # The thief reads, and ends the grant if the code was redeemed by then.
    assert explored.schedules >= orders(2, 1)
