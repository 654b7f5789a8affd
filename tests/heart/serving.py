"""Real servers for the proofs: started, killed and started again on one SQLite file, and asked at the same instant."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from everbearer.oauth.authorization_server import unix_now
from everbearer.oauth.client import Client
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.messages import Request
from everbearer.oauth.models import Grant
from everbearer.oauth.randomness import random_id
from everbearer.oauth.tokens.refresh_tokens import seal_code, seal_refresh_token
from everbearer.server.config.file import load_config
from everbearer.server.opening import open_sealer
from everbearer.storage.sqlite import BlockingSQLiteStore
from heart.exploring import finish
from heart.heart_world import REDIRECT_URI, SECRET, SUBJECT, Answer, fill, new_grant
from server_process import ServerProcess, _stop, _wait_until_ready, free_port

SETTINGS = f"""
[[users]]
login = "{SUBJECT}"
subject = "{SUBJECT}"
password = "never typed by anybody here"

[[clients]]
client_id = "spa"
type = "spa"
redirect_uris = ["{REDIRECT_URI}"]
lifetimes = {{ authorization_code = "10m" }}

[[clients]]
client_id = "strict"
type = "spa"
redirect_uris = ["{REDIRECT_URI}"]
rotation = {{ retry_window = 0 }}

[[clients]]
client_id = "rotating-web"
type = "web"
client_secret = "{SECRET}"
redirect_uris = ["{REDIRECT_URI}"]
rotation = {{ rotate = true }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder with a configuration and a database, in which servers come and go."""

    folder: Path
    port: int = field(default_factory=free_port)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    @property
    def config(self) -> Path:
        return self.folder / "everbearer.toml"

    @property
    def store(self) -> BlockingSQLiteStore:
        return BlockingSQLiteStore(self.folder / "everbearer.db")

    @property
    def sealer(self) -> Sealer:
        return open_sealer(load_config(self.config, self._environ), self._environ)

    @property
    def _environ(self) -> dict[str, str]:
        return {**os.environ, "EVERBEARER_SECRET": self.secret}

    @contextmanager
    def serving(self, *, workers: int = 1, dies: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
        """Serve until the block is left. `dies` is what a server that kills itself (`killing_process`) must know."""
        issuer = f"http://127.0.0.1:{self.port}"
        head = f'issuer = "{issuer}"\n[server]\nport = {self.port}\nworkers = {workers}\ndatabase = "everbearer.db"\n'
        self.config.write_text(head + SETTINGS)
        environ = {**self._environ, **(dies or {})}
        program = [str(Path(__file__).with_name("killing_process.py"))] if dies else ["-m", "everbearer"]
        command = [sys.executable, *program, "serve", "--config", str(self.config)]
        log = self.folder / "server.log"
        with log.open("ab") as output:
            process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command
        server = ServerProcess(issuer=issuer, config=self.config, log=log, process=process, environ=environ)
        try:
            _wait_until_ready(server)
            yield server
        finally:
            if process.poll() is None:
                _stop(process)

    def put_grant(self, client: Client, *, generation: int = 0) -> Grant:
        """Put a grant of the user into the database: its code not redeemed, or refreshed so often."""
        store = self.store
        grant = replace(new_grant(client, at=unix_now()), grant_id=random_id(), generation=generation)
        grant = replace(grant, code=grant.code if generation == 0 else None)
        finish(fill(store, grant))
        finish(store.close())
        return grant

    def grant(self, grant: Grant) -> Grant:
        """Return what became of a grant."""
        store = self.store
        found = finish(store.grant(grant.grant_id))
        finish(store.close())
        assert found is not None
        return found

    def token(self, grant: Grant, generation: int) -> str:
        return seal_refresh_token(replace(grant, generation=generation), self.sealer)

    def code(self, grant: Grant) -> str:
        return seal_code(grant, self.sealer)

    def ask(self, request: Request) -> Answer:
        """Send one request.

        Raises:
            ConnectionError: the server died under it.
        """
        return asyncio.run(self._at_once([request]))[0]

    def ask_at_once(self, requests: Sequence[Request]) -> list[Answer]:
        """Send requests so that the last byte of each leaves at the same instant."""
        return asyncio.run(self._at_once(requests))

    async def _at_once(self, requests: Sequence[Request]) -> list[Answer]:
        opened = [await asyncio.open_connection("127.0.0.1", self.port) for _ in requests]
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


def _on_the_wire(request: Request) -> bytes:
    headers = {"Host": "127.0.0.1", "Connection": "close", "Content-Length": str(len(request.body)), **request.headers}
    lines = [f"{request.method} {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


def _answer(text: bytes) -> Answer:
    head, _, body = text.partition(b"\r\n\r\n")
    if not head:
        raise ConnectionError
    return Answer(status=int(head.split()[1]), members=json.loads(body or b"{}"))
