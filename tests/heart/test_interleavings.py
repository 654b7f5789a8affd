"""Every order in which the verbs of two tabs can fall, with a crash between any two: one successor, nobody stranded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from everbearer.oauth.client import Client
from everbearer.oauth.models import EndReason
from heart.actors import (
    GENERATION,
    end_of,
    ended_only_by,
    never_ended,
    newest,
    one_line,
    orders,
    passes,
    refreshes_twice,
    refreshes_until_answered,
    tabs,
    two_tabs,
)
from heart.exploring import Actor, Run, Scenario, World, explore, finish, gets_on
from heart.heart_world import (
    API,
    ROTATING_WEB,
    SPA,
    STRICT,
    WEB,
    WINDOWED,
    created,
    fill,
    introspect,
    new_grant,
    refreshed_grant,
    token_of,
)


def test_two_refreshes_have_the_six_orders_that_two_verbs_each_have() -> None:
    explored = explore(two_tabs(), never_ended, merge=False)

    # Each reads and spends. Where both read first, the loser reads and spends once more, with nobody left to disturb.
    assert explored.schedules == explored.outcomes == orders(2, 2) == 6


def test_merging_schedules_that_meet_loses_none_of_them() -> None:
    apart = explore(two_tabs(deaths=1), never_ended, merge=False)
    merged = explore(two_tabs(deaths=1), never_ended)

    assert merged.schedules == apart.schedules == apart.outcomes > orders(2, 2)
    assert merged.states < apart.states


@pytest.mark.rt("RT-23", "RT-60", "RT-67")
@pytest.mark.parametrize("client", [SPA, WINDOWED, ROTATING_WEB], ids=lambda client: client.client_id)
def test_two_tabs_whose_answers_get_lost_twice_share_one_successor(client: Client) -> None:
    explored = explore(two_tabs(client, deaths=2), never_ended)

    assert explored.schedules > orders(6, 6)


@pytest.mark.rt("RT-67")
def test_two_tabs_with_keys_of_their_own_share_one_successor() -> None:
    explored = explore(two_tabs(WINDOWED, deaths=1, keys=("one", "two")), never_ended)

    assert explored.schedules > orders(2, 2)


@pytest.mark.rt("RT-29")
@pytest.mark.spec("RFC 9700", "4.14.2")
def test_under_the_strict_policy_one_of_two_is_answered_and_the_grant_ends() -> None:
    def strict(run: Run) -> None:
        one_line(run)
        assert sum(answer.ok for answer in run.world.answers) == 1
        assert end_of(run) is EndReason.REUSED

    explored = explore(two_tabs(STRICT), strict)

    assert explored.schedules >= orders(2, 2)


def test_a_client_that_does_not_rotate_keeps_its_token_whatever_gets_lost() -> None:
    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        world.clients_turn = True
        yield from tabs(world, newest(world, WEB), WEB, deaths=1)
        yield "time", Actor(world=world, script=passes(3600), client=WEB)

    explored = explore(scenario, lambda run: never_ended(run, GENERATION))

    assert explored.schedules >= orders(2, 2, 1)


def test_a_tab_that_is_one_refresh_ahead_does_not_harm_the_other_that_waits_for_its_answer() -> None:
    """Tab 2 tries again what tab 1 has spent, while tab 1 refreshes twice: theft by the rule, if it comes too late."""

    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        token = newest(world)
        yield "ahead", Actor(world=world, script=refreshes_twice, client=SPA, holds=token)
        yield "tab 2", Actor(world=world, script=refreshes_until_answered, client=SPA, holds=token)

    def check(run: Run) -> None:
        ended_only_by(EndReason.REUSED)(run)
        (grant,) = finish(run.world.store.grants())
        # It is ended only where the token came back after its successor had been used.
        assert end_of(run) is None or grant.generation == GENERATION + 2

    explored = explore(scenario, check)

    assert explored.schedules >= orders(4, 2)


# Time


@pytest.mark.rt("RT-22", "RT-67")
def test_without_a_window_a_lost_answer_can_be_asked_for_however_late() -> None:
    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        world.clients_turn = True
        yield from tabs(world, newest(world), deaths=1)
        yield "time", Actor(world=world, script=passes(3600), client=SPA)

    explored = explore(scenario, never_ended)

    assert explored.schedules >= orders(3, 3, 1)


@pytest.mark.rt("RT-21", "RT-67")
def test_after_the_window_only_reuse_ends_the_grant() -> None:
    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        world.clients_turn = True
        yield from tabs(world, newest(world, WINDOWED), WINDOWED, deaths=1)
        yield "time", Actor(world=world, script=passes(61), client=WINDOWED)

    def check(run: Run) -> None:
        one_line(run)
        assert end_of(run) in (None, EndReason.REUSED)

    explored = explore(scenario, check)

    assert explored.schedules >= orders(3, 3, 1)


@pytest.mark.rt("RT-67")
def test_the_same_attempt_is_answered_after_the_window_too() -> None:
    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        world.clients_turn = True
        token = newest(world, WINDOWED)
        yield (
            "phone",
            Actor(
                world=world, script=refreshes_until_answered, client=WINDOWED, holds=token, key="written down", deaths=3
            ),
        )
        yield "time", Actor(world=world, script=passes(61, 86400), client=WINDOWED)

    explored = explore(scenario, never_ended)

    assert explored.schedules >= orders(3, 2)


@pytest.mark.rt("RT-40", "RT-67")
@pytest.mark.parametrize("client", [SPA, WEB], ids=lambda client: client.client_id)
def test_who_was_answered_in_time_is_not_ended_by_another_who_came_too_late(client: Client) -> None:
    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        world.clients_turn = True
        token = newest(world, client)
        idle = client.lifetimes.refresh_token_idle or 0
        world.clock.advance(idle - 1)
        yield from tabs(world, token, client)
        yield "time", Actor(world=world, script=passes(1), client=client)

    def check(run: Run) -> None:
        one_line(run)
        assert end_of(run) is None
        assert all(gets_on(run, name) for name, tab in run.actors.items() if tab.answers and tab.answers[-1].ok)

    explored = explore(scenario, check)

    assert explored.schedules >= orders(2, 2, 1)


@pytest.mark.rt("RT-43")
def test_clocks_ten_minutes_apart_strand_nobody() -> None:
    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        for (name, tab), skew in zip(tabs(world, newest(world), deaths=1), (-300, 300), strict=True):
            yield name, replace(tab, skew=skew)

    explored = explore(scenario, never_ended)

    assert explored.schedules >= orders(2, 2)


# Proof of arrival


async def refreshes_and_uses(me: Actor) -> None:
    answer = await me.refresh()
    if answer.ok:
        me.take(await introspect(me.server, answer.access_token))


def one_uses_its_access_token(*seconds: int) -> Scenario:
    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        world.clients_turn = bool(seconds)
        token = newest(world)
        finish(world.store.put_client(API, created(refreshed_grant(SPA, GENERATION))))
        yield "tab 1", Actor(world=world, script=refreshes_and_uses, client=SPA, holds=token)
        yield "tab 2", Actor(world=world, script=refreshes_until_answered, client=SPA, holds=token, deaths=1)
        if seconds:
            yield "time", Actor(world=world, script=passes(*seconds), client=SPA)

    return scenario


@pytest.mark.rt("RT-26")
def test_an_access_token_used_at_once_does_not_turn_the_other_tab_away() -> None:
    explored = explore(one_uses_its_access_token(), never_ended)

    assert explored.schedules >= orders(2, 2)


@pytest.mark.rt("RT-26")
def test_an_access_token_used_within_two_minutes_does_not_turn_away_a_tab_whose_timer_is_throttled() -> None:
    explored = explore(one_uses_its_access_token(60, 60), never_ended)

    assert explored.schedules >= orders(2, 2, 2)


@pytest.mark.rt("RT-26")
def test_an_access_token_used_later_ends_the_retries_and_nothing_else() -> None:
    ends: set[EndReason | None] = set()

    def check(run: Run) -> None:
        one_line(run)
        (grant,) = finish(run.world.store.grants())
        ends.add(end_of(run))
        assert grant.ended is None or grant.confirmed == grant.generation

    explored = explore(one_uses_its_access_token(121), check)

    assert explored.schedules >= orders(2, 2, 1)
    assert ends == {None, EndReason.REUSED}


# A restored backup


@pytest.mark.rt("RT-67")
@pytest.mark.parametrize("known", [0, 1, GENERATION - 1])
def test_what_the_store_has_forgotten_is_accepted_from_both_tabs(known: int) -> None:
    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        grant = new_grant(SPA) if known == 0 else refreshed_grant(SPA, known)
        finish(world.store.put_client(SPA, created(grant)))
        finish(fill(world.store, grant))
        world.clock.advance(3600)
        yield from tabs(world, token_of(grant, GENERATION), deaths=1)

    explored = explore(scenario, never_ended)

    assert explored.schedules >= orders(2, 2)
