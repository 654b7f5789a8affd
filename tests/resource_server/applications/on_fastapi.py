"""The application in FastAPI."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Security, WebSocket

from everbearer.resource_server import AccessToken, ResourceServer
from everbearer.resource_server.fastapi import Bearer


def application(api: ResourceServer) -> FastAPI:
    app, bearer = FastAPI(), Bearer(api)

    def shown(token: AccessToken) -> dict[str, Any]:
        return {"client": token.client_id, "subject": token.subject, "scope": token.scope}

    @app.get("/read")
    @app.post("/read")
    async def read(token: Annotated[AccessToken, Depends(bearer.require("read"))]) -> dict[str, Any]:
        return shown(token)

    @app.get("/data")
    def data(token: Annotated[AccessToken, Depends(bearer.require("read"))]) -> dict[str, Any]:
        bearer.check(token, "write")
        return shown(token)

    @app.get("/admin")
    def admin(token: Annotated[AccessToken, Security(bearer.require(), scopes=["admin"])]) -> dict[str, Any]:
        return shown(token)

    @app.get("/any", dependencies=[Depends(bearer.require())])
    def anything(token: Annotated[AccessToken, Depends(bearer.require())]) -> dict[str, Any]:
        return shown(token)

    @app.get("/recent")
    def recent(token: Annotated[AccessToken, Depends(bearer.require(max_age=60))]) -> dict[str, Any]:
        return shown(token)

    @app.websocket("/socket")
    async def socket(socket: WebSocket, token: Annotated[AccessToken, Depends(bearer.require("read"))]) -> None:
        await socket.accept()
        await socket.send_json(shown(token))
        await socket.close()

    app.include_router(bearer.router())
    return app
