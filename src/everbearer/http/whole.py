"""All that the protocol answers, as one endpoint for an application of one's own."""

from __future__ import annotations

from everbearer.http.authorization_route import SignIn, authorization_routes
from everbearer.http.cors import share
from everbearer.http.given import check
from everbearer.http.protocol_routes import client_routes, explanation_routes, public_routes, registration_routes
from everbearer.http.routes import Routes, dispatch
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.messages import Endpoint


def all_routes(server: AuthorizationServer, sign_in: SignIn | None = None) -> Routes:
    """Return every path that the protocol answers; the authorization endpoint too, where `sign_in` is given.

    Raises:
        ValueError: `sign_in` is no async function of its arguments, or the server none.
    """
    check(all_routes, server=server, sign_in=sign_in)
    return {
        **public_routes(server),
        **client_routes(server),
        **registration_routes(server),
        **explanation_routes(server),
        **(authorization_routes(server, sign_in) if sign_in is not None else {}),
    }


def endpoint(server: AuthorizationServer, sign_in: SignIn | None = None) -> Endpoint:
    """Return the endpoint that answers at all of `all_routes`, to scripts of other origins as far as they may read it.

    Everybody may read the metadata and the keys, and call where clients register; the origins of clients, what clients
    call; and nobody the authorization endpoint: browsers go there, and RFC 9700 §2.6 forbids CORS for it.

    Raises:
        ValueError: as `all_routes` has it.
    """
    return share(
        dispatch(all_routes(server, sign_in)),
        with_everybody=frozenset({**public_routes(server), **registration_routes(server)}),
        with_clients=frozenset(client_routes(server)),
        allows_origin=server.store.allows_origin,
    )
