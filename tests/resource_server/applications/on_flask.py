"""The application in Flask."""

from __future__ import annotations

from typing import Any

from flask import Flask, g

from everbearer.resource_server import ResourceServer, requirement
from everbearer.resource_server.flask import Bearer, access_token


def application(api: ResourceServer) -> Flask:
    app, bearer = Flask(__name__), Bearer(api)

    def shown() -> dict[str, Any]:
        token = access_token()
        return {"client": token.client_id, "subject": g.access_token.subject, "scope": list(token.scope)}

    @app.route("/read", methods=["GET", "POST"])
    @bearer.require("read")
    def read() -> dict[str, Any]:
        return shown()

    @app.get("/data")
    @bearer.require("read")
    def data() -> dict[str, Any]:
        api.check(access_token(), requirement("write"))
        return shown()

    @app.get("/admin")
    @bearer.require("admin")
    def admin() -> dict[str, Any]:
        return shown()

    @app.get("/any")
    @bearer.require()
    def anything() -> dict[str, Any]:
        return shown()

    @app.get("/recent")
    @bearer.require(max_age=60)
    def recent() -> dict[str, Any]:
        return shown()

    app.register_blueprint(bearer.blueprint())
    return app
