"""Client authentication (RFC 6749 §2.3): HTTP Basic, the secret in the body, an assertion, or none for public clients.

What proves an assertion stands in `client_assertions`.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from everbearer.oauth.arguments import check_arguments
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import AuthMethod, Client
from everbearer.oauth.clients.assertions import check_assertion, has_assertion, read_assertion
from everbearer.oauth.errors import InvalidClient, InvalidRequest
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.messages import Request
from everbearer.oauth.parameters import Parameters

CLIENT_SECRET = "client secret"
"""The purpose under which secrets are hashed: a keyed hash suffices, for they are random and long."""
_UNKNOWN = "the client is not known here"


@dataclass(frozen=True, slots=True)
class _Attempt:
    method: AuthMethod
    client_id: str
    secret: str = field(default="", repr=False)


async def authenticate_client(request: Request, parameters: Parameters, server: AuthorizationServer) -> Client:
    """Return the client that sent the request, its identity proven as far as its kind can.

    Raises:
        InvalidRequest: it used two methods at once.
        InvalidClient: it is unknown, disabled, or did not prove who it is.
        TemporarilyUnavailable: the keys that it publishes cannot be fetched at this moment.
    """
    if has_assertion(parameters):
        return await _by_assertion(request, parameters, server)
    attempts = _attempts(request, parameters)
    for attempt in attempts:
        client = await server.store.client(attempt.client_id)
        if client is not None and client.disabled_at is None and _proven(client, attempt, server):
            return client
    raise await _failure(request, attempts[0], server)


def names_client(request: Request, parameters: Parameters) -> bool:
    """Return whether a request says which client sent it: by HTTP Basic, in the body or by an assertion."""
    return "client_id" in parameters or _scheme(request) == "basic" or has_assertion(parameters)


def hash_client_secret(secret: str, server: AuthorizationServer) -> str:
    """Return what `Client.secrets` keeps of a secret.

    It is a keyed hash, quick to make: for secrets that are random and long, as `secrets.token_urlsafe(32)` makes them.

    Raises:
        ValueError: the secret is no text, or the server is none.
    """
    check_arguments(hash_client_secret, secret=secret, server=server)
    return server.sealer.keyed_hash(CLIENT_SECRET, secret.encode())


async def _by_assertion(request: Request, parameters: Parameters, server: AuthorizationServer) -> Client:
    # "utilizes more than one mechanism for authenticating the client" (§5.2).
    if "client_secret" in parameters or _scheme(request) == "basic":
        raise InvalidRequest("the client authenticates twice: by client_assertion and by a secret; use one")
    assertion = read_assertion(request, parameters, server)
    client = await server.store.client(assertion.client_id)
    if client is None or client.disabled_at is not None:
        _tell(client, request, server)
        raise InvalidClient(_UNKNOWN)
    try:
        await check_assertion(assertion, client, server)
    except InvalidClient:
        _tell(client, request, server)
        raise
    return client


def _attempts(request: Request, parameters: Parameters) -> list[_Attempt]:
    if _scheme(request) == "basic":
        return _basic(request, parameters)
    client_id = parameters.get("client_id")
    if client_id is None:
        raise InvalidClient("the client is not named; send client_id, or authenticate by HTTP Basic")
    secret = parameters.get("client_secret")
    if secret is None:
        return [_Attempt(AuthMethod.NONE, client_id)]
    return [_Attempt(AuthMethod.POST, client_id, secret)]


def _scheme(request: Request) -> str:
    return request.headers.get("authorization", "").partition(" ")[0].lower()


def _basic(request: Request, parameters: Parameters) -> list[_Attempt]:
    # "The client MUST NOT use more than one authentication method in each request" (§2.3).
    if "client_secret" in parameters:
        raise InvalidRequest("the client secret is sent twice: by HTTP Basic and in the body; use one")
    client_id, secret = _credentials(request)
    # "encoded using the application/x-www-form-urlencoded encoding algorithm" (§2.3.1). Many clients send them raw.
    attempts = [_Attempt(AuthMethod.BASIC, unquote_plus(client_id), unquote_plus(secret))]
    if (attempts[0].client_id, attempts[0].secret) != (client_id, secret):
        attempts.append(_Attempt(AuthMethod.BASIC, client_id, secret))
    named = parameters.get("client_id")
    if named is not None and named not in {attempt.client_id for attempt in attempts}:
        raise InvalidRequest("client_id in the body names another client than HTTP Basic does")
    return attempts


def _credentials(request: Request) -> tuple[str, str]:
    encoded = request.headers["authorization"].partition(" ")[2].strip()
    try:
        client_id, colon, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        colon = client_id = secret = ""
    if not colon or not client_id:
        raise InvalidClient("the Authorization header is not well-formed HTTP Basic", basic=True)
    return client_id, secret


def _proven(client: Client, attempt: _Attempt, server: AuthorizationServer) -> bool:
    if client.public:
        return not attempt.secret
    if not attempt.secret or client.token_endpoint_auth_method not in (None, attempt.method):
        return False
    secret = attempt.secret.encode()
    return any(server.sealer.keyed_hash_matches(CLIENT_SECRET, secret, kept) for kept in client.secrets)


async def _failure(request: Request, attempt: _Attempt, server: AuthorizationServer) -> InvalidClient:
    client = await server.store.client(attempt.client_id)
    _tell(client, request, server)
    return InvalidClient(_advice(client, attempt), basic=attempt.method is AuthMethod.BASIC)


def _tell(client: Client | None, request: Request, server: AuthorizationServer) -> None:
    server.tell(
        Event(
            kind=EventKind.CLIENT_AUTHENTICATION_FAILED,
            at=server.now(),
            client_id=client.client_id if client else "",
            address=request.remote_address,
            agent=request.user_agent,
        )
    )


def _advice(client: Client | None, attempt: _Attempt) -> str:
    if client is None or client.disabled_at is not None:
        return _UNKNOWN
    if client.public:
        return "this client is public: send client_id alone, without a secret"
    if client.token_endpoint_auth_method not in (None, attempt.method):
        return f"this client must authenticate by {client.token_endpoint_auth_method}"
    if not attempt.secret:
        return "this client must authenticate with its secret"
    return "the client secret is wrong"
