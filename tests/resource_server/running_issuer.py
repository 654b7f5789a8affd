"""An issuer that is asked over real HTTP, by whatever its resource servers are written in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx

from everbearer.http.protocol_routes import client_routes, public_routes
from everbearer.http.routes import dispatch
from everbearer.http.wsgi import wsgi_application
from everbearer.resource_server import Introspection, ResourceServer
from everbearer.resource_server.clock import unix_now
from everbearer.storage.memory import MemoryStore
from resource_server.issuer_world import API, CREDENTIALS, with_audience
from world import SECRET, Clock, World, new_world


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the library
        """Log nothing."""


@dataclass(frozen=True, kw_only=True)
class RunningIssuer:
    url: str
    world: World

    def token(self, scope: str = "read") -> str:
        """Return a JWT that a client has got for itself, as any client would."""
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = httpx.post(f"{self.url}/oauth2/token", data=form, auth=("machine", SECRET), timeout=120)
        return str(answer.json()["access_token"])

    async def opaque_token(self, scope: str = "openid read") -> str:
        """Return an opaque token that Ada has given a client."""
        return (await self.world.sign_in("opaque", scope=scope)).access_token

    def api(self, **changes: Any) -> ResourceServer:
        """Return a resource server of this issuer, with the clock and the fetching of real ones."""
        introspection = Introspection(**CREDENTIALS)
        return ResourceServer(**{"issuer": self.url, "audience": API, "introspection": introspection, **changes})


@contextmanager
def running_issuer() -> Iterator[RunningIssuer]:
    world = asyncio.run(new_world(MemoryStore()))
    asyncio.run(with_audience(world))
    with make_server("127.0.0.1", 0, lambda _, __: [], _Server, _Quiet) as http:
        url = f"http://127.0.0.1:{http.server_address[1]}"
        server = replace(world.server, issuer=url, now=unix_now)
        http.set_app(wsgi_application(dispatch({**public_routes(server), **client_routes(server)})))
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield RunningIssuer(url=url, world=replace(world, server=server, clock=Clock(unix_now())))
        http.shutdown()
        thread.join()
