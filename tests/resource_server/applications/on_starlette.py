"""The application in Starlette, with endpoints that await and endpoints that block."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from everbearer.resource_server import ResourceServer, requirement
from everbearer.resource_server.starlette import Bearer, access_token


def application(api: ResourceServer) -> Starlette:
    bearer = Bearer(api)

    def shown(request: Request) -> Response:
        token = access_token(request)
        return JSONResponse({"client": token.client_id, "subject": token.subject, "scope": token.scope})

    @bearer.require("read")
    async def read(request: Request) -> Response:
        return shown(request)

    @bearer.require("read")
    async def data(request: Request) -> Response:
        api.check(access_token(request), requirement("write"))
        return shown(request)

    routes = [
        Route("/read", read, methods=["GET", "POST"]),
        Route("/data", data),
        Route("/admin", bearer.require("admin")(shown)),
        Route("/any", bearer.require()(shown)),
        Route("/recent", bearer.require(max_age=60)(shown)),
    ]
    return Starlette(routes=[*routes, *bearer.routes()])
