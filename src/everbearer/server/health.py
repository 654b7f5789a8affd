"""Whether the server is alive, and whether it can do its work."""

from __future__ import annotations

from everbearer.http.routes import Routes
from everbearer.oauth.error_response import error_response, store_trouble
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.messages import Request, Response, json_response
from everbearer.storage.store import AdminStore


def health_routes(store: AdminStore) -> Routes:
    """Return `/healthz`, which answers while the process lives, and `/readyz`, which asks the store too."""

    async def healthz(request: Request) -> Response:  # noqa: ARG001 - an endpoint
        return json_response({"status": "ok"})

    async def readyz(request: Request) -> Response:  # noqa: ARG001 - an endpoint
        try:
            await store.ping()
        except StoreUnavailable:
            return error_response(store_trouble())
        return json_response({"status": "ready"})

    return {"/healthz": {"GET": healthz}, "/readyz": {"GET": readyz}}
