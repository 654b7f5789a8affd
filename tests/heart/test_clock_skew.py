"""Two servers on one SQLite file, their clocks ten minutes apart: what is lost is asked for again, what ended ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import pytest

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client, RotationPolicy
from everbearer.oauth.models import EndReason, Grant
from everbearer.storage.sqlite import BlockingSQLiteStore
from heart.exploring import finish
from heart.heart_world import (
    API,
    NOW,
    SPA,
    WEB,
    Answer,
    Clock,
    client_of,
    code_of,
    created,
    fill,
    introspect,
    new_grant,
    redeem,
    refresh,
    refreshed_grant,
    revoke,
    server_over,
    token_of,
)

SKEW = 300
GENERATION = 5
PAIRS = list(product(("slow", "fast"), repeat=2))
"""Which server answers first, and which next."""
WINDOWED = client_of("windowed", policy=RotationPolicy(retry_window=1200))


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """A slow server and a fast one, each with connections of its own."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    stores: dict[str, BlockingSQLiteStore] = field(default_factory=dict)

    def __getitem__(self, name: str) -> AuthorizationServer:
        skew = {"slow": -SKEW, "fast": SKEW}[name]
        store = self.stores.setdefault(name, BlockingSQLiteStore(self.path))
        return server_over(store, lambda: self.clock.now + skew)

    def put(self, client: Client, grant: Grant) -> None:
        self["slow"]
        finish(self.stores["slow"].put_client(client, created(grant)))
        finish(fill(self.stores["slow"], grant))

    def grant(self, grant: Grant) -> Grant:
        found = finish(self.stores["slow"].grant(grant.grant_id))
        assert found is not None
        return found


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    nodes = Nodes(path=tmp_path / "everbearer.db")
    nodes["slow"]
    finish(nodes.stores["slow"].migrate())
    yield nodes
    for store in nodes.stores.values():
        finish(store.close())


def refreshed(nodes: Nodes, name: str, client: Client, grant: Grant, generation: int) -> Answer:
    return finish(refresh(nodes[name], client, token_of(grant, generation)))


pytestmark = [pytest.mark.rt("RT-43"), pytest.mark.parametrize(("first", "next_"), PAIRS)]


def test_the_other_node_answers_a_lost_answer_again(nodes: Nodes, first: str, next_: str) -> None:
    grant = refreshed_grant(SPA, GENERATION)
    nodes.put(SPA, grant)
    lost = refreshed(nodes, first, SPA, grant, GENERATION)
    again = refreshed(nodes, next_, SPA, grant, GENERATION)

    assert again.refresh_token == lost.refresh_token == token_of(grant, GENERATION + 1)
    assert refreshed(nodes, first, SPA, grant, GENERATION + 1).ok


def test_a_window_is_off_by_no_more_than_the_clocks_are(nodes: Nodes, first: str, next_: str) -> None:
    window, apart = WINDOWED.rotation.retry_window or 0, 2 * SKEW
    grants = [refreshed_grant(WINDOWED, GENERATION, number=number) for number in (1, 2)]
    for grant in grants:
        nodes.put(WINDOWED, grant)
        assert refreshed(nodes, first, WINDOWED, grant, GENERATION).ok
    nodes.clock.advance(window - apart)
    early = refreshed(nodes, next_, WINDOWED, grants[0], GENERATION)
    nodes.clock.advance(2 * apart + 1)
    late = refreshed(nodes, next_, WINDOWED, grants[1], GENERATION)

    assert early.ok
    assert late.reason == EndReason.REUSED


@pytest.mark.parametrize("client", [SPA, WEB], ids=lambda client: client.client_id)
def test_an_idle_lifetime_never_shrinks_for_a_slow_clock(nodes: Nodes, client: Client, first: str, next_: str) -> None:
    grant = refreshed_grant(client, GENERATION)
    nodes.put(client, grant)
    nodes.clock.advance(3600)
    one = refreshed(nodes, first, client, grant, GENERATION)
    before = nodes.grant(grant).used_at
    other = finish(refresh(nodes[next_], client, one.refresh_token))

    assert other.ok
    assert nodes.grant(grant).used_at >= before


def test_a_lifetime_is_off_by_no_more_than_the_clocks_are(nodes: Nodes, first: str, next_: str) -> None:
    idle, apart = SPA.lifetimes.refresh_token_idle or 0, 2 * SKEW
    grants = [refreshed_grant(SPA, GENERATION, number=number) for number in (1, 2)]
    for grant in grants:
        nodes.put(SPA, grant)
        assert refreshed(nodes, first, SPA, grant, GENERATION).ok
    nodes.clock.advance(idle - apart - 1)
    alive = refreshed(nodes, next_, SPA, grants[0], GENERATION + 1)
    nodes.clock.advance(2 * apart + 1)
    dead = refreshed(nodes, next_, SPA, grants[1], GENERATION + 1)

    assert alive.ok
    assert dead.reason == EndReason.EXPIRED_IDLE


def test_an_end_holds_at_once_at_the_other_node(nodes: Nodes, first: str, next_: str) -> None:
    grant = refreshed_grant(SPA, GENERATION)
    nodes.put(SPA, grant)
    token = token_of(grant, GENERATION)
    assert finish(revoke(nodes[first], token)).ok

    assert finish(refresh(nodes[next_], SPA, token)).reason == EndReason.REVOKED_BY_CLIENT


def test_a_code_and_an_access_token_are_good_at_the_other_node(nodes: Nodes, first: str, next_: str) -> None:
    # A code lives longer here than clocks may differ.
    patient = replace(SPA, lifetimes=replace(SPA.lifetimes, authorization_code=600))
    issued_at = NOW + {"slow": -SKEW, "fast": SKEW}[first]
    grant = new_grant(patient, at=issued_at)
    nodes.put(patient, grant)
    nodes.put(API, new_grant(API, number=2))
    nodes.clock.advance(-1)
    answer = finish(redeem(nodes[next_], patient, code_of(grant)))

    assert answer.ok
    assert finish(introspect(nodes[first], answer.access_token)).members["active"] is True
