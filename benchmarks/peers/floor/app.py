"""The floor: the least that a durable refresh in Python can be.

It parses the form, checks the client's secret by a keyed hash, signs one ES256 JWT and makes one durable commit (a
compare-and-swap on the generation of one row), then answers. It has no clients, policies, ends, history or errors
worth the name: whatever a real server does costs more than this. It speaks HTTP through the same module as Everbearer.

Settings come by the environment: DATABASE is the path of an SQLite file or a postgresql:// URL, PORT where it listens,
WORKERS how many processes answer there.
"""

from __future__ import annotations

import asyncio
import fcntl
import hmac
import json
import os
import socket
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256
from queue import Empty, SimpleQueue

import apsw
import asyncpg
import msgspec
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from everbearer.http.http1 import Serving
from everbearer.oauth.messages import Request, Response

DATABASE = os.environ["DATABASE"]
KEY = os.environ["KEY"].encode()
CLIENT = os.environ["CLIENT"].encode()
CLIENT_HASH = hmac.digest(KEY, os.environ["CLIENT_SECRET"].encode(), sha256)
PRIVATE = ec.derive_private_key(int.from_bytes(sha256(KEY).digest(), "big") >> 8, ec.SECP256R1())
ECDSA = ec.ECDSA(SHA256())

ONE_BY_ONE = "UPDATE families SET generation = ?2 + 1 WHERE id = ?1 AND generation = ?2 RETURNING id"
TOGETHER = """
UPDATE families SET generation = waiting.generation + 1
FROM unnest($1::bigint[], $2::bigint[]) AS waiting (id, generation)
WHERE families.id = waiting.id AND families.generation = waiting.generation
RETURNING families.id
"""


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=")


HEADER = b64(json.dumps({"typ": "at+jwt", "alg": "ES256", "kid": "floor"}).encode())


def token(family, generation):
    stem = b"%d.%d" % (family, generation)
    return stem + b"." + b64(hmac.digest(KEY, stem, sha256))


def jwt(family, now):
    claims = {
        "iss": "http://127.0.0.1",
        "sub": f"user-{family}",
        "aud": "http://127.0.0.1",
        "client_id": "floor",
        "iat": now,
        "exp": now + 1800,
        "jti": os.urandom(16).hex(),
        "scope": "offline_access orders.read",
    }
    data = HEADER + b"." + b64(msgspec.json.encode(claims))
    r, s = decode_dss_signature(PRIVATE.sign(data, ECDSA))
    return data + b"." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


class Sqlite:
    """All spends that wait share one transaction, in a thread; between processes a lock of the kernel is the queue."""

    def __init__(self):
        self.waiting = SimpleQueue()

    async def start(self):
        self.loop = asyncio.get_running_loop()
        threading.Thread(target=self.write, daemon=True).start()

    def spend(self, family, generation):
        future = self.loop.create_future()
        self.waiting.put((family, generation, future))
        return future

    def write(self):
        connection = apsw.Connection(DATABASE)
        connection.execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000"
        ).fetchall()
        connection.set_busy_timeout(10000)
        with open(DATABASE + ".lock", "wb") as lock:  # noqa: PTH123
            while True:
                batch = [self.waiting.get()]
                try:
                    while len(batch) < 256:
                        batch.append(self.waiting.get_nowait())
                except Empty:
                    pass
                fcntl.flock(lock, fcntl.LOCK_EX)
                connection.execute("BEGIN IMMEDIATE")
                done = [bool(connection.execute(ONE_BY_ONE, each[:2]).fetchall()) for each in batch]
                connection.execute("COMMIT")
                fcntl.flock(lock, fcntl.LOCK_UN)
                self.loop.call_soon_threadsafe(self.tell, batch, done)

    def tell(self, batch, done):
        for (_, _, future), outcome in zip(batch, done, strict=True):
            future.set_result(outcome)


class Postgresql:
    """All spends that wait travel as one statement."""

    def __init__(self):
        self.waiting = []

    async def start(self):
        self.loop = asyncio.get_running_loop()
        self.connection = await asyncpg.connect(DATABASE)
        self.statement = await self.connection.prepare(TOGETHER)
        self.more = asyncio.Event()
        self.task = asyncio.create_task(self.write())

    def spend(self, family, generation):
        future = self.loop.create_future()
        self.waiting.append((family, generation, future))
        self.more.set()
        return future

    async def write(self):
        while True:
            await self.more.wait()
            self.more.clear()
            batch, self.waiting = sorted(self.waiting, key=lambda each: each[0]), []
            rows = await self.statement.fetch([each[0] for each in batch], [each[1] for each in batch])
            spent = {row[0] for row in rows}
            for family, _, future in batch:
                future.set_result(family in spent)


STORE = Postgresql() if DATABASE.startswith("postgresql://") else Sqlite()


HEADERS = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


async def refresh(request: Request) -> Response:
    client, _, secret = b64decode(request.headers.get("authorization", "")[6:]).partition(b":")
    if client != CLIENT or not hmac.compare_digest(hmac.digest(KEY, secret, sha256), CLIENT_HASH):
        return Response(status=401, headers=HEADERS, body=b'{"error":"invalid_client"}')
    form = dict(pair.split(b"=", 1) for pair in request.body.split(b"&"))
    family, generation, _ = form[b"refresh_token"].split(b".")
    family, generation = int(family), int(generation)
    if form[b"grant_type"] != b"refresh_token" or not hmac.compare_digest(
        token(family, generation), form[b"refresh_token"]
    ):
        return Response(status=400, headers=HEADERS, body=b'{"error":"invalid_grant"}')
    answer = {
        "access_token": jwt(family, int(time.time())).decode(),
        "token_type": "Bearer",
        "expires_in": 1800,
        "refresh_token": token(family, generation + 1).decode(),
        "scope": "offline_access orders.read",
    }
    if not await STORE.spend(family, generation):
        return Response(status=400, headers=HEADERS, body=b'{"error":"invalid_grant"}')
    return Response(headers=HEADERS, body=msgspec.json.encode(answer))


def ask(request, endpoint):
    return endpoint(request)


async def serve(listening: socket.socket) -> None:
    await STORE.start()
    serving = Serving(endpoint=refresh, observe=ask, max_body=65536)
    loop = asyncio.get_running_loop()

    def accept() -> None:
        try:
            accepted, _ = listening.accept()
        except BlockingIOError:
            return
        accepted.settimeout(0)
        serving.tasks.add(loop.create_task(loop.connect_accepted_socket(serving.connection, accepted)))

    loop.add_reader(listening, accept)
    await asyncio.Event().wait()


if __name__ == "__main__":
    shared = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=1024)
    shared.settimeout(0)
    for _ in range(int(os.environ["WORKERS"]) - 1):
        if os.fork() == 0:
            break
    uvloop.run(serve(shared))
