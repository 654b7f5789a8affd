"""Every order of refreshes, a thief, and what ends a grant: what has ended stays so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from everbearer.oauth.models import Ended, EndReason, Everything, consent_key
from heart.actors import (
    GENERATION,
    end_of,
    ended_only_by,
    ends_all,
    newest,
    one_line,
    orders,
    refreshes,
    revokes,
    tabs,
)
from heart.exploring import Actor, Run, Scenario, Script, Turns, World, explore, finish, gets_on
from heart.heart_world import (
    NOW,
    SPA,
    SUBJECT,
    Answer,
    created,
    generation_of,
    refreshed_grant,
    token_of,
)


def crowd(*, back: int, deaths: int = 0, admin: bool = True) -> Scenario:
    """Two tabs, a thief with an older token, a client that revokes and an administrator that ends all of a user's."""

    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        token = newest(world)
        (grant,) = finish(world.store.grants())
        yield from tabs(world, token, deaths=deaths)
        old = token_of(grant, GENERATION - back)
        yield "thief", Actor(world=world, script=refreshes, client=SPA, holds=old)
        if admin:
            yield "revoker", Actor(world=world, script=revokes, client=SPA, holds=token)
            everything = ends_all(Everything.USER, SUBJECT, EndReason.PASSWORD_CHANGED)
            yield "admin", Actor(world=world, script=everything, client=SPA)

    return scenario


@pytest.mark.rt("RT-25", "RT-26", "RT-67")
@pytest.mark.parametrize("back", [1, 2, 5])
def test_a_thief_with_an_older_token_gets_no_branch_of_his_own(back: int) -> None:
    def check(run: Run) -> None:
        ended_only_by(EndReason.REUSED)(run)
        stolen = [answer for answer in run.actors["thief"].answers if answer.ok]
        # What he can get is what the tabs hold, by asking in the window; with anything older he ends it all.
        assert {generation_of(answer.refresh_token) for answer in stolen} <= {GENERATION}
        assert back == 1 or (end_of(run) is EndReason.REUSED and not stolen)

    explored = explore(crowd(back=back, deaths=1, admin=False), check)

    assert explored.schedules >= orders(2, 2, 2)


@pytest.mark.rt("RT-58", "RT-67")
@pytest.mark.parametrize("back", [1, 2])
def test_amid_thief_revoker_and_administrator_the_end_is_the_end(back: int) -> None:
    def check(run: Run) -> None:
        one_line(run)
        assert end_of(run) in (EndReason.REUSED, EndReason.REVOKED_BY_CLIENT, EndReason.PASSWORD_CHANGED)
        assert not any(gets_on(run, name) for name, actor in run.actors.items() if actor.holds)

    explored = explore(crowd(back=back), check)

    assert explored.schedules > orders(2, 2, 2, 3, 1)


async def disables(me: Actor) -> None:
    ended = Ended(reason=EndReason.CLIENT_DISABLED, actor="admin:test", at=me.world.clock.now)
    event = created(refreshed_grant(SPA, GENERATION))
    await Turns(me).put_client(replace(SPA, disabled_at=NOW), event, ends=ended)
    me.take(Answer(status=200, members={}))


ENDS: dict[EndReason, Script] = {
    EndReason.REVOKED_BY_CLIENT: revokes,
    EndReason.PASSWORD_CHANGED: ends_all(Everything.USER, SUBJECT, EndReason.PASSWORD_CHANGED),
    EndReason.CONSENT_WITHDRAWN: ends_all(
        Everything.CONSENT, consent_key(SUBJECT, SPA.client_id), EndReason.CONSENT_WITHDRAWN
    ),
    EndReason.CLIENT_DELETED: ends_all(Everything.CLIENT, SPA.client_id, EndReason.CLIENT_DELETED),
    EndReason.CLIENT_DISABLED: disables,
}


@pytest.mark.rt("RT-50", "RT-53", "RT-55", "RT-56", "RT-58")
@pytest.mark.parametrize("reason", ENDS)
def test_no_refresh_in_flight_outlives_an_end(reason: EndReason) -> None:
    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        token = newest(world)
        world.clients_turn = reason is EndReason.CLIENT_DISABLED
        yield from tabs(world, token, deaths=1)
        yield "end", Actor(world=world, script=ENDS[reason], client=SPA, holds=token)

    def check(run: Run) -> None:
        one_line(run)
        assert end_of(run) is reason
        assert not any(gets_on(run, name) for name in run.actors)

    explored = explore(scenario, check)

    assert explored.schedules > orders(2, 2, 1)
