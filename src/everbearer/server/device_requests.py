"""How many devices may ask from one address: each leaves a row, and whoever knows a public client may ask."""

from __future__ import annotations

from everbearer.login.addresses import network_of
from everbearer.oauth.authorization.device_authorization import device_authorization_endpoint
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.error_response import answer
from everbearer.oauth.errors import TooManyRequests
from everbearer.oauth.messages import Endpoint, Request, Response
from everbearer.server.config.devices import DevicesSection
from everbearer.storage.store import AdminStore


def limited_device_authorization(server: AuthorizationServer, store: AdminStore, settings: DevicesSection) -> Endpoint:
    """Return the device authorization endpoint, which refuses an address that asks too often."""

    async def respond(request: Request) -> Response:
        counted = await store.count_attempt(
            f"device-request-address:{network_of(request.remote_address)}", now=server.now(), window=settings.window
        )
        if counted.attempts > settings.requests_per_address:
            raise TooManyRequests(
                "too many devices ask from this address; try again later", retry_after=counted.until - server.now()
            )
        return await device_authorization_endpoint(request, server)

    async def endpoint(request: Request) -> Response:
        return await answer(respond(request))

    return endpoint
