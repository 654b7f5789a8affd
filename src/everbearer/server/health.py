"""Whether the server is alive, and whether it can do its work."""

from __future__ import annotations

from collections.abc import Callable

from everbearer.http.routes import Routes
from everbearer.oauth.error_response import error_response, store_trouble
from everbearer.oauth.errors import StoreUnavailable, TemporarilyUnavailable
from everbearer.oauth.messages import Request, Response, json_response
from everbearer.storage.store import AdminStore


def never() -> bool:
    """Return that it is not so."""
    return False


def health_routes(store: AdminStore, *, stopping: Callable[[], bool] = never) -> Routes:
    """Return `/healthz`, which answers while the process lives, and `/readyz`, which asks the store too.

    While the server is `stopping`, it is not ready: load balancers are to look away.
    """

    async def healthz(request: Request) -> Response:  # noqa: ARG001 - an endpoint
        return json_response({"status": "ok"})

    async def readyz(request: Request) -> Response:  # noqa: ARG001 - an endpoint
        if stopping():
            return error_response(TemporarilyUnavailable("the server is stopping"))
        try:
            await store.ping()
        except StoreUnavailable as trouble:
            return store_trouble(trouble)
        return json_response({"status": "ready"})

    return {"/healthz": {"GET": healthz}, "/readyz": {"GET": readyz}}
