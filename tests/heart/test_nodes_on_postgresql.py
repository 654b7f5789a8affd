"""Three nodes on one PostgreSQL, their clocks five minutes apart: races, ends and kills, for real."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pytest

from everbearer.oauth.authorization_server import unix_now
from everbearer.oauth.client import Client
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.messages import Request
from everbearer.oauth.models import Ended, EndReason, Everything, Grant
from everbearer.oauth.randomness import random_id
from everbearer.oauth.tokens.refresh_tokens import seal_refresh_token
from everbearer.server.config.file import load_config
from everbearer.server.opening import open_sealer
from everbearer.storage.postgresql import PostgreSQLStore
from heart.heart_world import (
    ROTATING_WEB,
    SPA,
    STRICT,
    SUBJECT,
    Answer,
    basic,
    fill,
    new_grant,
    posted,
    refresh_request,
)
from heart.node_process import STEPS
from heart.serving import SETTINGS, _answer, _on_the_wire
from postgresql_server import PostgreSQLServer, emptied
from server_process import ServerProcess, _stop, _wait_until_ready, free_port

T = TypeVar("T")

CLOCKS = (-300, 0, 300)
GENERATION = 5
CROWD = 102
PROGRAM = Path(__file__).with_name("node_process.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Where nodes come and go."""

    folder: Path
    url: str
    secret: str
    ports: Sequence[int]

    @contextmanager
    def running(self, number: int, *, dies: str = "") -> Iterator[ServerProcess]:
        config, port = self.folder / f"{number}.toml", self.ports[number]
        config.write_text(f'issuer = "http://127.0.0.1:{self.ports[0]}"\n[server]\nport = {port}\n{SETTINGS}')
        environ = {**self._environ, "HEART_CLOCK": str(CLOCKS[number]), "HEART_KILL_AT": dies}
        command = [sys.executable, str(PROGRAM), "serve", "--config", str(config), "--database", self.url]
        log = self.folder / f"{number}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command
        node = ServerProcess(
            issuer=f"http://127.0.0.1:{port}", config=config, log=log, process=process, environ=environ
        )
        try:
            _wait_until_ready(node)
            yield node
        finally:
            if process.poll() is None:
                _stop(process)

    @property
    def sealer(self) -> Sealer:
        return open_sealer(load_config(None, self._environ), self._environ)

    @property
    def _environ(self) -> dict[str, str]:
        return {**os.environ, "EVERBEARER_SECRET": self.secret}

    def on_store(self, work: Callable[[PostgreSQLStore], Awaitable[T]]) -> T:
        async def done() -> T:
            store = PostgreSQLStore(self.url)
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(done())

    def put_grant(self, client: Client) -> Grant:
        grant = replace(new_grant(client, at=unix_now()), grant_id=random_id(), generation=GENERATION, code=None)
        self.on_store(lambda store: fill(store, grant))
        return grant

    def grant(self, grant: Grant) -> Grant:
        found = self.on_store(lambda store: store.grant(grant.grant_id))
        assert found is not None
        return found

    def token(self, grant: Grant, generation: int = GENERATION) -> str:
        return seal_refresh_token(replace(grant, generation=generation), self.sealer)

    def ask(self, request: Request, *, node: int = 0) -> Answer:
        return asyncio.run(self._at_once([request], [self.ports[node]]))[0]

    def ask_all(self, requests: Sequence[Request]) -> list[Answer]:
        """Send requests to the nodes in turn, so that the last byte of each leaves at the same instant."""
        ports = [self.ports[at % len(self.ports)] for at in range(len(requests))]
        return asyncio.run(self._at_once(requests, ports))

    async def _at_once(self, requests: Sequence[Request], ports: Sequence[int]) -> list[Answer]:
        opened = [await asyncio.open_connection("127.0.0.1", port) for port in ports]
        texts = [_on_the_wire(request) for request in requests]
        for (_, writer), text in zip(opened, texts, strict=True):
            writer.write(text[:-1])
            await writer.drain()
        for (_, writer), text in zip(opened, texts, strict=True):
            writer.write(text[-1:])
        try:
            return [_answer(await asyncio.wait_for(reader.read(), 60)) for reader, _ in opened]
        finally:
            for _, writer in opened:
                writer.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQLServer) -> Nodes:
    return Nodes(
        folder=tmp_path_factory.mktemp("nodes"),
        url=emptied(postgresql, "nodes"),
        secret=secrets.token_urlsafe(48),
        ports=[free_port() for _ in CLOCKS],
    )


@pytest.fixture(scope="module")
def nodes(place: Nodes) -> Iterator[Nodes]:
    with ExitStack() as stack:
        for number in range(len(CLOCKS)):
            stack.enter_context(place.running(number))
        yield place


@pytest.mark.rt("RT-61", "RT-43")
@pytest.mark.parametrize("client", [SPA, ROTATING_WEB], ids=lambda client: client.client_id)
@pytest.mark.parametrize("round_", range(3))
def test_a_crowd_at_three_nodes_with_one_token_gets_one_successor(nodes: Nodes, client: Client, round_: int) -> None:  # noqa: ARG001 - again
    grant = nodes.put_grant(client)
    answers = nodes.ask_all([refresh_request(client, nodes.token(grant))] * CROWD)

    assert [answer.status for answer in answers] == [200] * CROWD
    assert {answer.refresh_token for answer in answers} == {nodes.token(grant, GENERATION + 1)}
    for number in range(len(CLOCKS)):
        following = nodes.ask(refresh_request(client, nodes.token(grant, GENERATION + 1 + number)), node=number)
        assert following.refresh_token == nodes.token(grant, GENERATION + 2 + number)


@pytest.mark.rt("RT-22", "RT-43")
def test_an_access_token_used_at_once_at_a_node_that_is_ahead_does_not_close_the_window(nodes: Nodes) -> None:
    grant = nodes.put_grant(ROTATING_WEB)
    refreshed = nodes.ask(refresh_request(ROTATING_WEB, nodes.token(grant)), node=0)
    introspection = posted("/oauth2/introspect", {"token": refreshed.access_token}, basic(ROTATING_WEB))

    assert nodes.ask(introspection, node=2).members["active"] is True
    retried = nodes.ask(refresh_request(ROTATING_WEB, nodes.token(grant)), node=2)
    assert retried.refresh_token == refreshed.refresh_token


@pytest.mark.rt("RT-29", "RT-60")
def test_under_the_strict_policy_one_of_a_crowd_is_answered_and_the_grant_ends(nodes: Nodes) -> None:
    grant = nodes.put_grant(STRICT)
    answers = nodes.ask_all([refresh_request(STRICT, nodes.token(grant))] * CROWD)
    (winner,) = [answer for answer in answers if answer.ok]

    assert {answer.reason for answer in answers if not answer.ok} == {EndReason.REUSED}
    for number in range(len(CLOCKS)):
        answer = nodes.ask(refresh_request(STRICT, winner.refresh_token), node=number)
        assert answer.reason == EndReason.REUSED


@pytest.mark.rt("RT-50", "RT-58")
def test_a_grant_revoked_at_one_node_amid_refreshes_never_lives_again_at_any(nodes: Nodes) -> None:
    for _ in range(3):
        grant = nodes.put_grant(SPA)
        token = nodes.token(grant)
        refreshing = [refresh_request(SPA, token)] * 10
        answers = nodes.ask_all([*refreshing, posted("/oauth2/revoke", {"token": token}), *refreshing])

        assert answers[10].ok
        assert {answer.reason for answer in answers if not answer.ok} <= {EndReason.REVOKED_BY_CLIENT}
        for number in range(len(CLOCKS)):
            for held in (token, nodes.token(grant, GENERATION + 1)):
                ended = nodes.ask(refresh_request(SPA, held), node=number)
                assert ended.reason == EndReason.REVOKED_BY_CLIENT


@pytest.mark.rt("RT-51", "RT-43")
def test_what_is_ended_for_a_user_is_refused_by_the_next_request_at_every_node(nodes: Nodes) -> None:
    grants = [nodes.put_grant(SPA) for _ in CLOCKS]
    ended = Ended(reason=EndReason.PASSWORD_CHANGED, actor=f"user:{SUBJECT}", at=unix_now())
    nodes.on_store(lambda store: store.end_all(Everything.USER, SUBJECT, ended))

    for number, grant in enumerate(grants):
        answer = nodes.ask(refresh_request(SPA, nodes.token(grant)), node=number)
        assert answer.reason == EndReason.PASSWORD_CHANGED


@pytest.mark.rt("RT-63", "RT-65")
@pytest.mark.parametrize("step", STEPS)
def test_a_node_killed_around_the_spend_strands_nobody_and_forgets_no_reuse(nodes: Nodes, step: str) -> None:
    dying = replace(nodes, ports=[*nodes.ports[:2], free_port()])
    grant = nodes.put_grant(SPA)
    request = refresh_request(SPA, nodes.token(grant))
    with dying.running(2, dies=step) as node:
        with pytest.raises(ConnectionError):
            dying.ask(request, node=2)
        node.process.wait(60)
    again = nodes.ask(request, node=1)
    following = nodes.ask(refresh_request(SPA, again.refresh_token), node=0)
    replayed = nodes.ask(request, node=2)

    assert again.refresh_token == nodes.token(grant, GENERATION + 1)
    assert following.ok
    assert replayed.reason == EndReason.REUSED
    assert nodes.grant(grant).ended is not None
