"""Clients that registered themselves and that nobody uses go away, those that are in use stay."""

from __future__ import annotations

from everbearer.oauth.client import AUTHORIZATION_CODE, Lifetimes
from everbearer.oauth.events import EventKind
from everbearer.oauth.models import DAY, EndReason
from everbearer.server.upkeep.reaping import BATCH, reap_clients
from everbearer.storage.memory import MemoryStore
from registering import Registrar, new_registrar
from world import World, basic, new_world

UNUSED_AFTER = 30 * DAY
REFRESHING = {"grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none"}


async def days_pass(world: World, days: int) -> int:
    """Let days pass, with the chores of each, and return how many clients were removed."""
    reaped = 0
    for _ in range(days):
        world.clock.advance(DAY)
        reaped += await reap_clients(world.store, now=world.clock.now, unused_after=UNUSED_AFTER)
    return reaped


async def is_there(registrar: Registrar, client_id: str) -> bool:
    return await registrar.world.store.client(client_id) is not None


async def test_a_client_that_nobody_ever_used_goes_when_its_time_is_over_and_no_other(world: World) -> None:
    registrar = new_registrar(world)
    others = {client.client_id for client in await world.store.clients()}
    told = await registrar.registered()

    early, in_time = await days_pass(world, 30), await days_pass(world, 1)

    assert (early, in_time) == (0, 1)
    assert {client.client_id for client in await world.store.clients()} == others
    event = next(
        event
        for event in await world.store.events(client_id=told["client_id"])
        if event.kind is EventKind.CLIENT_DELETED
    )
    assert (event.actor, event.details) == ("server", {"reason": "unused"})


async def test_a_client_stays_as_long_as_a_grant_lives_and_its_time_after_that(world: World) -> None:
    registrar = new_registrar(world).allowing(lifetimes=Lifetimes(refresh_token=100 * DAY, refresh_token_idle=None))
    told = await registrar.registered(**REFRESHING)
    token = (
        await registrar.world.redeem(await registrar.world.authorize(told["client_id"]), client=told["client_id"])
    ).refresh_token
    while_it_lives = await days_pass(world, 99)
    refreshed = await registrar.world.refresh(token, client=told["client_id"])
    after, then = await days_pass(world, 30), await days_pass(world, 3)

    assert refreshed.status == 200
    assert (while_it_lives, after, then) == (0, 0, 1)


async def test_the_grants_of_a_removed_client_say_that_it_was_deleted(world: World) -> None:
    registrar = new_registrar(world).allowing(lifetimes=Lifetimes(refresh_token=2 * DAY, refresh_token_idle=DAY))
    told = await registrar.registered(**REFRESHING)
    code = await registrar.world.authorize(told["client_id"])
    token = (await registrar.world.redeem(code, client=told["client_id"])).refresh_token
    await days_pass(world, 40)

    assert not await is_there(registrar, told["client_id"])
    assert await world.end_reason(token) is EndReason.CLIENT_DELETED


async def test_a_machine_that_asks_for_tokens_now_and_then_stays(world: World) -> None:
    registrar = new_registrar(world).allowing(grant_types=("client_credentials", AUTHORIZATION_CODE))
    told = await registrar.registered(grant_types=["client_credentials"], redirect_uris=None, scope="read")
    for _ in range(4):
        form = {"grant_type": "client_credentials"}
        await registrar.world.token(form, headers=basic(told["client_id"], told["client_secret"]))
        await days_pass(world, 20)

    assert await is_there(registrar, told["client_id"])


async def test_more_clients_than_a_batch_go_all_at_once() -> None:
    world = await new_world(MemoryStore())
    registrar = new_registrar(world)
    for _ in range(BATCH + 1):
        await registrar.registered()

    assert await days_pass(world, 31) == BATCH + 1
