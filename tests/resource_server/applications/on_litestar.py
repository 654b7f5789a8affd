"""The application in Litestar."""

from __future__ import annotations

from typing import Any

from litestar import HttpMethod, Litestar, get, route
from litestar.di import NamedDependency, Provide

from everbearer.resource_server import AccessToken, ResourceServer
from everbearer.resource_server.litestar import Bearer, access_token


def application(api: ResourceServer) -> Litestar:
    bearer = Bearer(api)

    def shown(token: AccessToken) -> dict[str, Any]:
        return {"client": token.client_id, "subject": token.subject, "scope": list(token.scope)}

    @route("/read", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=200, guards=[bearer.require("read")])
    async def read(token: NamedDependency[AccessToken]) -> dict[str, Any]:
        return shown(token)

    @get("/data", guards=[bearer.require("read")])
    async def data(token: NamedDependency[AccessToken]) -> dict[str, Any]:
        bearer.check(token, "write")
        return shown(token)

    @get("/admin", guards=[bearer.require("admin")])
    async def admin(token: NamedDependency[AccessToken]) -> dict[str, Any]:
        return shown(token)

    @get("/any", guards=[bearer.require()])
    async def anything(token: NamedDependency[AccessToken]) -> dict[str, Any]:
        return shown(token)

    @get("/recent", guards=[bearer.require(max_age=60)])
    async def recent(token: NamedDependency[AccessToken]) -> dict[str, Any]:
        return shown(token)

    return Litestar(
        [read, data, admin, anything, recent, *bearer.route_handlers()],
        dependencies={"token": Provide(access_token, sync_to_thread=False)},
    )
