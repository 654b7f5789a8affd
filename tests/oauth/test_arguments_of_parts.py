"""The parts of a server, and the functions that join them, say so when they are made of the wrong things."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import everbearer as eb
from everbearer.oauth.client import DEVICE_CODE
from everbearer.storage.memory import MemoryStore

untyped: Any = eb
"""The library as those see it who have no type checker."""

KEY = eb.generate_signing_key("ES256")
SECRET = b"32 bytes that are random elsewhere"
SERVER = eb.AuthorizationServer(
    issuer="https://id.example.com",
    store=MemoryStore(),
    sealer=eb.Sealer([SECRET]),
    keys=lambda: eb.key_set(KEY),
    grants=eb.GRANTS,
)
ISSUER = eb.TrustedIssuer(issuer="https://a.example", jwks_uri="https://a.example/jwks")


async def claims_of(subject: str) -> dict[str, object]:
    return {"sub": subject}


def claims_at_once(subject: str) -> dict[str, object]:
    return {"sub": subject}


class AtOnce:
    """A store one of whose verbs is not awaited."""

    def client(self, client_id: str) -> None:
        """Know nobody."""

    async def allows_origin(self, origin: str) -> bool:
        return bool(origin)


class Lifespan:
    """What is entered at start."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *problem: object) -> None: ...


async def an_endpoint(request: eb.Request) -> eb.Response:  # noqa: ARG001 - an endpoint
    return eb.Response()


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: untyped.Lifetimes(access_token=timedelta(1)), r"write access_token=int\(delta.total_seconds\(\)\)"),
        (lambda: untyped.Lifetimes(access_token_jitter="0.1"), "access_token_jitter must be a number, not a str"),
        (lambda: untyped.RotationPolicy(rotate="no"), "rotate must be True or False or None, not a str"),
        (
            lambda: untyped.TokenExchangePolicy(audiences="a"),
            r"audiences must be a tuple of str, not a str: write audien",
        ),
        (lambda: untyped.SelfRegistration(access_token_hash=b"a"), "access_token_hash must be a str, not bytes"),
        (lambda: untyped.SessionLifetimes(idle=0), "idle must be at least 1 second"),
        (lambda: untyped.SessionLifetimes(idle=None), "idle must be an int, not None"),
        (lambda: untyped.Profile(response_types="code"), "response_types must be a tuple of str"),
        (lambda: untyped.IssuanceHooks(finalize_scopes=claims_at_once), "finalize_scopes must be an async function"),
        (
            lambda: untyped.InitialAccessToken(token_id="a", token_hash="b", created_at="now", expires_at=1),
            "created_at mus",
        ),
        (
            lambda: untyped.ComposedStore(clients=AtOnce(), grants=MemoryStore()),
            "not an AtOnce, which has no async client$",
        ),
        (
            lambda: untyped.KeySet(signing=KEY, published=(KEY,)),
            "signing must be a mapping of str to SigningKey, not a Si",
        ),
        (
            lambda: untyped.SigningKey(kid="a", alg="ES256", private="-----BEGIN", public_jwk={}),
            "private must be .* not a str: make the key by generate_signing_key or signing_key_from_pem",
        ),
        (
            lambda: untyped.key_set([KEY]),
            r"keys must be a SigningKey, not a list: write key_set\(key\) or key_set\(\*keys\)",
        ),
        (lambda: untyped.key_set("-----BEGIN"), "keys must be a SigningKey, not a str: write key_set"),
        (
            lambda: untyped.key_set(KEY, coming=KEY),
            r"coming must be a list of SigningKey, not a SigningKey: write coming=\[",
        ),
        (lambda: untyped.signing_key_from_pem(None), "text must be a str or bytes, not None"),
        (
            lambda: untyped.signing_key_from_jwk({"kty": "EC"}),
            "data must be bytes or a str, not a dict: write json.dumps",
        ),
        (lambda: untyped.hash_client_secret(SECRET, SERVER), "secret must be a str, not bytes: decode it"),
        (
            lambda: untyped.hash_client_secret("secret", SERVER.sealer),
            "server must be an AuthorizationServer, not a Sealer",
        ),
        (
            lambda: untyped.seal_client_secret("app", "secret", SERVER),
            "sealer must be a Sealer, not an AuthorizationServer",
        ),
        (lambda: untyped.token_exchange_by(claims_at_once), "policy must be an async function of 1 argument"),
        (
            lambda: untyped.password_grant(claims_of),
            "check must be an async function of 3 arguments, not one that takes",
        ),
        (lambda: untyped.jwt_bearer_grant(ISSUER), "issuers must be a list of TrustedIssuer, not a TrustedIssuer"),
        (
            lambda: untyped.jwt_bearer_grant(iter("a")),
            "issuers must be a list of TrustedIssuer, not one with a str in it",
        ),
        (
            lambda: untyped.jwt_bearer_grant([replace(ISSUER, jwks_uri="")]),
            "its public keys must be known by one of jwks_uri",
        ),
        (lambda: untyped.jwt_bearer_grant([replace(ISSUER, issuer="")]), "issuer is empty: write the iss"),
        (lambda: untyped.jwt_bearer_grant([replace(ISSUER, jwks_uri="keys.json")]), "jwks_uri must be an https URL"),
        (
            lambda: untyped.jwt_bearer_grant([replace(ISSUER, jwks_uri="", jwks="keys")]),
            "'https://a.example': jwks is not",
        ),
        (lambda: untyped.jwt_bearer_grant([replace(ISSUER, longest=0)]), "longest is 0: it must be at least 1 second"),
        (lambda: untyped.TrustedIssuer(issuer="a", scope="read"), "scope must be a tuple of str, not a str"),
        (lambda: untyped.StatementIssuer(issuer="a"), "its public keys must be known by one of jwks_uri and jwks"),
        (
            lambda: untyped.endpoint(SERVER.store),
            "server must be an AuthorizationServer, not a MemoryStore: make an Auth",
        ),
        (
            lambda: untyped.endpoint(SERVER, claims_of),
            "sign_in must be an async function of 2 arguments or None, not one t",
        ),
        (
            lambda: untyped.authorization_routes(SERVER, None),
            "sign_in must be an async function of 2 arguments, not None",
        ),
        (
            lambda: untyped.client_routes(untyped.AuthorizationServer),
            "server must be .*, not the class AuthorizationServer",
        ),
        (
            lambda: untyped.asgi_application(SERVER),
            r"endpoint must be .*, not an AuthorizationServer: write endpoint\(serv",
        ),
        (
            lambda: untyped.asgi_application(an_endpoint, lifespan=a_lifespan),
            "lifespan must be .*, not an async generator",
        ),
        (
            lambda: untyped.asgi_application(an_endpoint, max_body=0),
            "max_body is a number of bytes, and must be at least 1",
        ),
        (lambda: untyped.wsgi_application(SERVER), r"endpoint must be .*: write endpoint\(server\)"),
        (lambda: untyped.wsgi_application(an_endpoint, max_body="64k"), "max_body must be an int, not a str"),
        (
            lambda: untyped.dispatch(SERVER),
            r"routes must be .*, not an AuthorizationServer: write all_routes\(server\)",
        ),
        (lambda: untyped.dispatch({"/": an_endpoint}), "routes must be .*, not one with a function at '/'"),
        (lambda: untyped.below("auth/", {}), "prefix must begin with a slash and end without one, such as /auth"),
        (
            lambda: untyped.share(
                an_endpoint, with_everybody="/", with_clients=(), allows_origin=SERVER.store.allows_origin
            ),
            "with_everybody must be a collection of str, not a str",
        ),
    ],
)
def test_whatever_else_is_made_of_another_type_says_so(make: Callable[[], object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        make()


async def a_lifespan() -> AsyncGenerator[None]:
    yield


def test_a_class_that_makes_what_is_wanted_will_do() -> None:
    assert callable(eb.asgi_application(an_endpoint, lifespan=Lifespan))


@pytest.mark.parametrize("secrets", [None, SECRET, "secret", 32, {SECRET: 1}, {SECRET}, ["secret"], [None]])
def test_a_sealer_is_made_of_a_list_of_bytes(secrets: Any) -> None:
    with pytest.raises(TypeError, match=r"are a list of bytes, newest first: write Sealer\(\[secret\]\)"):
        eb.Sealer(secrets)


@pytest.mark.parametrize(
    ("different", "problem"),
    [
        ({"store": None}, "store must be a RegistrationStore, not None"),
        ({"grant_types": ()}, "grant_types is empty: name at least one"),
        ({"grant_types": ("refresh_token",)}, "grant_types: refresh_token needs a grant to refresh"),
        ({"token_endpoint_auth_methods": ()}, "token_endpoint_auth_methods is empty: name one at least"),
        ({"token_endpoint_auth_methods": ("any",)}, "not one with a str in it: write AuthMethod.BASIC"),
        ({"most_clients": -1}, "most_clients is -1: it must be at least 0, or None"),
        ({"scope": ("read write",)}, "scope: 'read write' is no scope value"),
        ({"lifetimes": eb.Lifetimes(access_token=0)}, "lifetimes.access_token is 0: it must be at least 1 second"),
        ({"rotation": eb.RotationPolicy(late_limit=0)}, "rotation.late_limit is 0: it must be at least 1"),
        ({"require_software_statement": True}, "require_software_statement: nobody's statements are believed"),
    ],
)
def test_a_policy_of_registration_that_makes_no_sense_says_so(different: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        eb.ClientRegistration(**({"store": MemoryStore()} | different))


def test_a_policy_of_registration_for_devices_alone_will_do() -> None:
    policy = eb.ClientRegistration(store=MemoryStore(), scope=("read",), grant_types=(DEVICE_CODE, "refresh_token"))

    assert policy.grant_types == (DEVICE_CODE, "refresh_token")
