"""Who acts in the explored scenarios, and what must hold after every schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import factorial, prod

from everbearer.oauth.client import Client
from everbearer.oauth.models import Ended, EndReason, Everything
from heart.exploring import Actor, Died, Run, Scenario, Script, World, finish, gets_on
from heart.heart_world import (
    SPA,
    Answer,
    created,
    fill,
    generation_of,
    refresh,
    refreshed_grant,
    revoke,
    server_over,
    token_of,
)

GENERATION = 7
"""The newest refresh token when a scenario begins: the one that every honest tab holds."""


def orders(*steps: int) -> int:
    """Return in how many orders actors can take their steps, each its own in turn."""
    return factorial(sum(steps)) // prod(factorial(own) for own in steps)


def newest(world: World, client: Client = SPA, *, generation: int = GENERATION) -> str:
    """Put a client and a grant into the world and return the grant's newest refresh token."""
    grant = refreshed_grant(client, generation)
    finish(world.store.put_client(client, created(grant)))
    finish(fill(world.store, grant))
    return token_of(grant, generation)


async def refreshes(me: Actor) -> None:
    await me.refresh()


async def refreshes_until_answered(me: Actor) -> None:
    """Try the same again for as long as answers are lost, as an honest client does."""
    while True:
        try:
            await me.refresh()
        except Died:
            continue
        return


async def refreshes_twice(me: Actor) -> None:
    await refreshes_until_answered(me)
    await refreshes_until_answered(me)


async def revokes(me: Actor) -> None:
    await me.turn()
    me.take(await revoke(me.server, me.holds))


def ends_all(everything: Everything, key: str, reason: EndReason) -> Script:
    async def script(me: Actor) -> None:
        ended = Ended(reason=reason, actor="admin:test", at=me.world.clock.now)
        await me.server.store.end_all(everything, key, ended)
        me.take(Answer(status=200, members={}))

    return script


def passes(*seconds: int) -> Script:
    """Let time pass, in steps that fall anywhere between the others' moves."""

    async def script(me: Actor) -> None:
        for step in seconds:
            await me.turn()
            me.world.clock.advance(step)

    return script


def tabs(world: World, token: str, client: Client = SPA, *, deaths: int = 0) -> Iterator[tuple[str, Actor]]:
    """Two tabs of one browser, each with the same refresh token."""
    for name in ("tab 1", "tab 2"):
        yield (
            name,
            Actor(world=world, script=refreshes_until_answered, client=client, holds=token, deaths=deaths),
        )


def end_of(run: Run) -> EndReason | None:
    (grant,) = finish(run.world.store.grants())
    return grant.ended.reason if grant.ended else None


def one_line(run: Run) -> None:
    """Check that nothing forked: a generation has one token, and the newest is the one of the row."""
    answered = [answer.refresh_token for answer in run.world.answers if "refresh_token" in answer.members]
    assert len(set(answered)) == len({generation_of(token) for token in answered})
    (grant,) = finish(run.world.store.grants())
    assert max(map(generation_of, answered), default=0) <= grant.generation
    if grant.ended is not None:
        server = server_over(run.world.store, run.world.clock)
        client = finish(run.world.store.client(grant.client_id))
        assert client is not None
        assert not any(finish(refresh(server, client, token)).ok for token in answered)


def never_ended(run: Run, generation: int = GENERATION + 1) -> None:
    """Check that all tabs were answered and go on, and that the grant was spent as often as it should."""
    one_line(run)
    assert end_of(run) is None
    (grant,) = finish(run.world.store.grants())
    assert grant.generation == generation
    for name, actor in run.actors.items():
        if actor.holds.startswith("erb_"):
            assert gets_on(run, name), name


def ended_only_by(*reasons: EndReason) -> Callable[[Run], None]:
    """Check that whoever cannot go on was ended for a reason that the rule gives."""

    def check(run: Run) -> None:
        one_line(run)
        reason = end_of(run)
        assert reason is None or reason in reasons
        if reason is None:
            assert all(gets_on(run, name) for name, actor in run.actors.items() if name.startswith("tab"))

    return check


def two_tabs(client: Client = SPA, *, deaths: int = 0, keys: tuple[str, str] = ("", "")) -> Scenario:
    def scenario(world: World) -> Iterator[tuple[str, Actor]]:
        for (name, tab), key in zip(tabs(world, newest(world, client), client, deaths=deaths), keys, strict=True):
            yield name, replace(tab, key=key)

    return scenario
