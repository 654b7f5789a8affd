"""OpenID Connect Back-Channel Logout 1.0 §2.5 and §2.8: logout tokens sent to clients that answer as they like."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import cast
from urllib.parse import parse_qs

import pytest

from certificates import Authority, new_authority
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import EndReason, Everything
from everbearer.oauth.sessions.backchannel_logout import Logout
from everbearer.server.observing.metrics import LOGOUT_OUTCOMES, Metrics
from everbearer.server.outward.fetching import Fetching, Unfetched
from everbearer.server.outward.logout_delivery import LEASE, PAUSES, TOGETHER, LogoutDelivery
from everbearer.storage.store import AdminStore
from every_store import ON_EVERY_STORE
from https_site import Site, framed, site_of
from meddled_store import MeddledStore, unavailable
from world import ANY_STORE, World, claims_of

OK = framed(b"", b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\n")
REFUSAL = framed(b"{}", b"HTTP/1.1 400 Bad Request\r\n")
BUSY = framed(b"", b"HTTP/1.1 503 Busy\r\n")
PATH = "/backchannel_logout"


@dataclass(kw_only=True)
class Told:
    """A world in which a client is told, and the client."""

    world: World
    site: Site
    delivery: LogoutDelivery

    async def sign_out(self) -> None:
        await self.world.sign_in("web")
        await self.world.sign_out("browser")

    async def waiting(self) -> Logout:
        (logout,) = await self.world.store.logouts()
        return logout

    async def recorded(self) -> Event:
        return (await self.world.store.events(limit=1))[0]

    def tokens(self) -> list[str]:
        return [parse_qs(body.decode())["logout_token"][0] for body in self.site.bodies]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def told(world: World, authority: Authority) -> AsyncIterator[Told]:
    async with site_of(authority.server("localhost"), {PATH: OK}) as site:
        await world.change_client("web", backchannel_logout_uri=site.url(PATH))
        fetching = Fetching(private=True, tls=ssl.create_default_context(cafile=authority.path))
        delivery = LogoutDelivery(store=world.store, server=world.server, post=fetching.post)
        yield Told(world=world, site=site, delivery=delivery)


@ON_EVERY_STORE
@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.5", "2.8")
async def test_a_client_is_told_once_by_a_form_with_a_logout_token(told: Told) -> None:
    id_token = claims_of((await told.world.sign_in("web")).json["id_token"])
    await told.world.sign_out("browser")

    assert await told.delivery.deliver() == 1
    assert await told.delivery.deliver() == 0
    (token,) = told.tokens()
    assert told.site.asked[0].startswith(b"POST /backchannel_logout HTTP/1.1\r\n")
    assert claims_of(token)["sid"] == id_token["sid"]
    assert await told.world.store.logouts() == []


@ANY_STORE
@pytest.mark.parametrize("everything", [(Everything.SESSION, "browser"), (Everything.USER, "ada")])
async def test_what_was_delivered_is_recorded(told: Told, everything: tuple[Everything, str]) -> None:
    await told.world.sign_in("web")
    await told.world.end_all(*everything, EndReason.USER_DISABLED)
    await told.delivery.deliver()

    delivered = Event(
        kind=EventKind.LOGOUT_TOKEN_DELIVERED,
        at=told.world.clock.now,
        actor="server",
        client_id="web",
        subject="ada",
        details={"session": "browser", "attempt": "1", "status": "200"},
    )
    assert await told.recorded() == delivered
    assert told.world.heard[-1] == delivered


@ANY_STORE
@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.8")
async def test_an_empty_answer_by_204_is_a_success(told: Told) -> None:
    told.site.answers[PATH] = b"HTTP/1.1 204 No Content\r\n\r\n"
    await told.sign_out()
    await told.delivery.deliver()

    assert await told.world.store.logouts() == []
    assert (await told.recorded()).details["status"] == "204"


@ON_EVERY_STORE
@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.8")
async def test_a_client_that_refuses_is_not_asked_again(told: Told) -> None:
    told.site.answers[PATH] = REFUSAL
    await told.sign_out()
    await told.delivery.deliver()
    told.world.clock.advance(10**6)
    await told.delivery.deliver()

    assert len(told.site.asked) == 1
    assert (await told.recorded()).kind is EventKind.LOGOUT_TOKEN_REFUSED
    waiting = await told.waiting()
    assert (waiting.due_at, waiting.problem) == (None, "answers 400")


@ON_EVERY_STORE
@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.5")
async def test_a_client_in_trouble_is_told_once_it_is_back(told: Told) -> None:
    told.site.answers[PATH] = BUSY
    await told.sign_out()
    await told.delivery.deliver()
    told.site.answers[PATH] = OK
    told.world.clock.advance(PAUSES[0] - 1)
    assert await told.delivery.deliver() == 0
    told.world.clock.advance(1)
    assert await told.delivery.deliver() == 1

    kinds = [event.kind for event in await told.world.store.events(limit=2)]
    assert kinds == [EventKind.LOGOUT_TOKEN_DELIVERED, EventKind.LOGOUT_TOKEN_FAILED]
    assert await told.world.store.logouts() == []


@ANY_STORE
@pytest.mark.spec("OpenID Connect Back-Channel Logout", "4")
async def test_each_try_has_a_fresh_token(told: Told) -> None:
    told.site.answers[PATH] = BUSY
    await told.sign_out()
    await told.delivery.deliver()
    told.world.clock.advance(PAUSES[0])
    await told.delivery.deliver()

    first, second = map(claims_of, told.tokens())
    assert first["jti"] != second["jti"]
    assert second["iat"] == first["iat"] + PAUSES[0]


@ANY_STORE
@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.5")
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (BUSY, "answers 503"),
        (framed(b"", b"HTTP/1.1 404 Not Found\r\n"), "answers 404"),
        (framed(b"", b"HTTP/1.1 302 Found\r\nLocation: /maintenance\r\n"), "answers 302"),
        (b"", "hung up before it had answered"),
        (b"SSH-2.0\r\n\r\n", "does not speak HTTP as it should"),
    ],
)
async def test_what_may_pass_is_tried_again_with_growing_pauses_and_given_up_in_the_end(
    told: Told, answer: bytes, problem: str
) -> None:
    told.site.answers[PATH] = answer
    await told.sign_out()
    for number, pause in enumerate(PAUSES, 1):
        await told.delivery.deliver()
        waiting = await told.waiting()
        assert (waiting.attempts, waiting.due_at) == (number, told.world.clock.now + pause)
        assert waiting.problem == problem
        told.world.clock.advance(pause)
    await told.delivery.deliver()
    told.world.clock.advance(10**6)
    await told.delivery.deliver()

    assert len(told.site.asked) == len(PAUSES) + 1
    assert (await told.waiting()).due_at is None
    last = await told.recorded()
    assert last.kind is EventKind.LOGOUT_TOKEN_GIVEN_UP
    assert last.details == {"session": "browser", "attempt": str(len(PAUSES) + 1), "problem": problem}


def test_pauses_grow_and_end_within_a_day() -> None:
    assert list(PAUSES) == sorted(PAUSES)
    assert sum(PAUSES) < 24 * 60 * 60


@ANY_STORE
async def test_a_client_whose_keys_cannot_encrypt_is_tried_again(told: Told) -> None:
    await told.world.change_client("web", id_token_encrypted_response_alg="RSA-OAEP", jwks='{"keys": []}')
    await told.sign_out()
    await told.delivery.deliver()

    assert "cannot be encrypted" in (await told.waiting()).problem
    assert told.site.asked == []


@ANY_STORE
async def test_a_private_address_is_not_asked(told: Told) -> None:
    await told.sign_out()
    await replace(told.delivery, post=Fetching().post).deliver()

    assert (await told.waiting()).problem == "leads to an address that is not public"
    assert told.site.asked == []


@ON_EVERY_STORE
@pytest.mark.parametrize("gone", [True, False])
async def test_who_does_not_want_to_be_told_any_more_is_left_alone(told: Told, *, gone: bool) -> None:
    await told.sign_out()
    if gone:
        await told.world.delete_client("web")
    else:
        await told.world.change_client("web", backchannel_logout_uri="")
    await told.delivery.deliver()

    assert told.site.asked == []
    assert await told.world.store.logouts() == []
    assert (await told.recorded()).kind is EventKind.LOGOUT_TOKEN_GIVEN_UP


@ON_EVERY_STORE
async def test_of_two_processes_one_tells(told: Told) -> None:
    await told.sign_out()

    assert sorted(await asyncio.gather(told.delivery.deliver(), replace(told.delivery).deliver())) == [0, 1]
    assert len(told.site.asked) == 1


@ON_EVERY_STORE
async def test_what_a_process_took_that_died_is_told_by_another(told: Told) -> None:
    await told.sign_out()
    now = told.world.clock.now
    await told.world.store.take_logouts(now=now, until=now + LEASE, limit=TOGETHER)
    told.world.clock.advance(LEASE - 1)
    assert await told.delivery.deliver() == 0
    told.world.clock.advance(1)

    assert await told.delivery.deliver() == 1
    assert len(told.site.asked) == 1


async def _two_to_tell(told: Told) -> None:
    await told.world.change_client("spa", backchannel_logout_uri="https://spa.example/out")
    await told.world.sign_in("spa")
    await told.sign_out()


@ANY_STORE
async def test_nobody_waits_for_another_who_does_not_answer(told: Told) -> None:
    other_was_told = asyncio.Event()

    async def post(url: str, form: object) -> int:  # noqa: ARG001 - the shape of `post`
        if url == "https://spa.example/out":
            await other_was_told.wait()
            raise Unfetched("did not answer", passes=True)
        other_was_told.set()
        return 200

    await _two_to_tell(told)
    async with asyncio.timeout(120):
        await replace(told.delivery, post=post).deliver()

    assert [logout.client_id for logout in await told.world.store.logouts()] == ["spa"]


@ANY_STORE
async def test_a_fault_with_one_client_keeps_no_other_from_being_told(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    async def post(url: str, form: object) -> int:  # noqa: ARG001 - the shape of `post`
        if url == "https://spa.example/out":
            raise RuntimeError("a fault")
        return 200

    await _two_to_tell(told)
    await replace(told.delivery, post=post).deliver()

    assert [logout.client_id for logout in await told.world.store.logouts()] == ["spa"]
    assert "a logout token could not be sent" in caplog.text


@ANY_STORE
async def test_where_the_store_fails_after_the_telling_it_is_done_again(told: Told) -> None:
    await told.sign_out()
    store = cast("AdminStore", MeddledStore(told.world.store, "settle_logout", unavailable, after=False, call=1))
    with pytest.raises(StoreUnavailable):
        await replace(told.delivery, store=store).deliver()
    told.world.clock.advance(LEASE)

    assert await told.delivery.deliver() == 1
    assert len(told.site.asked) == 2


@ANY_STORE
async def test_a_running_server_delivers_by_itself_and_finishes_what_it_began_when_it_stops(told: Told) -> None:
    reached = asyncio.Event()

    async def post(url: str, form: Mapping[str, str]) -> int:
        reached.set()
        return await told.delivery.post(url, form)

    await told.sign_out()
    async with asyncio.timeout(120), replace(told.delivery, post=post).going_on():
        await reached.wait()

    assert len(told.site.asked) == 1
    assert await told.world.store.logouts() == []


@ANY_STORE
async def test_a_running_server_goes_on_where_the_store_is_in_trouble(told: Told) -> None:
    happened = asyncio.Event()

    async def trouble() -> None:
        happened.set()
        raise StoreUnavailable

    await told.sign_out()
    store = cast("AdminStore", MeddledStore(told.world.store, "take_logouts", trouble, after=False, call=1))
    async with asyncio.timeout(120), replace(told.delivery, store=store).going_on():
        await happened.wait()

    assert await told.delivery.deliver() == 1


@pytest.mark.parametrize(("kind", "outcome"), LOGOUT_OUTCOMES.items())
def test_every_outcome_is_counted(kind: EventKind, outcome: str) -> None:
    metrics = Metrics()
    metrics.hear(Event(kind=kind, at=0))

    assert metrics.snapshot()["everbearer_logout_tokens_total"] == [((outcome,), [1.0])]
