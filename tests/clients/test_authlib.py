"""The unmodified Authlib: what its integrations for web frameworks are made of, and its plain session."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from authlib.integrations.base_client.sync_app import BaseApp, OAuth2Mixin  # type: ignore[import-untyped] # has no types
from authlib.integrations.base_client.sync_openid import OpenIDMixin  # type: ignore[import-untyped] # has no types
from authlib.integrations.requests_client import (  # type: ignore[import-untyped] # has no types
    OAuth2Session,
    OAuthError,
)
from authlib.oauth2.rfc7523 import (  # type: ignore[import-untyped] # has no types
    ClientSecretJWT,
    PrivateKeyJWT,
)
from joserfc.jwk import ECKey, OKPKey, RSAKey

from clients.person import LOGIN, Person
from clients.settings import ALGORITHMS, ENCRYPTED, REDIRECT_URI, SECRET
from everbearer.oauth.crypto.keys import signing_key_to_jwk
from server_process import ServerProcess
from world import claims_of, key_of

SCOPE = "openid email offline_access"


class App(OAuth2Mixin, OpenIDMixin, BaseApp):  # type: ignore[misc] # the library has no types
    """The class that Authlib's Flask and Django applications are, without a framework under it."""

    client_cls = OAuth2Session


def app_of(server: ServerProcess, client_id: str, **settings: Any) -> App:
    """Return an application that knows the server by its discovery document alone."""
    return App(
        framework=None,
        client_id=client_id,
        client_secret=SECRET,
        server_metadata_url=f"{server.issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256"},
        **settings,
    )


def sign_in(app: App, person: Person) -> tuple[dict[str, Any], dict[str, Any]]:
    """Go through the code flow and return the tokens and the claims of the verified ID token."""
    begun = app.create_authorization_url(REDIRECT_URI)
    callback = person.callback(begun["url"], REDIRECT_URI)
    token = app.fetch_access_token(
        REDIRECT_URI, authorization_response=callback, state=begun["state"], code_verifier=begun["code_verifier"]
    )
    return token, app.parse_id_token(token, nonce=begun["nonce"])


# The library wants EdDSA to be called Ed25519 (RFC 9864), and verifies it under either name.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_id_token_is_verified_by_the_published_keys(alg: str, server: ServerProcess, person: Person) -> None:
    token, claims = sign_in(app_of(server, f"signed-{alg}"), person)

    assert claims["sub"] == "ada"
    assert claims["aud"] == f"signed-{alg}"
    assert token["token_type"] == "Bearer"


def test_an_application_asks_userinfo_with_its_token(server: ServerProcess, person: Person) -> None:
    app = app_of(server, "web")
    token, _ = sign_in(app, person)

    assert app.userinfo(token=token)["email"] == LOGIN


@pytest.fixture
def session(server: ServerProcess, person: Person) -> Callable[[str], Any]:
    def signed_in(client_id: str) -> Any:
        token, _ = sign_in(app_of(server, client_id), person)
        return OAuth2Session(
            client_id, SECRET, scope=SCOPE, token=token, token_endpoint=f"{server.issuer}/oauth2/token"
        )

    return signed_in


def test_a_session_refreshes_an_expired_token_by_itself(session: Callable[[str], Any], server: ServerProcess) -> None:
    with session("web") as client:
        before = client.token["access_token"]
        client.token["expires_at"] = 1
        answer = client.get(f"{server.issuer}/oauth2/userinfo")

        assert answer.json()["email"] == LOGIN
        assert client.token["access_token"] != before
        assert client.token["refresh_token"]


def test_a_session_introspects_and_revokes(session: Callable[[str], Any], server: ServerProcess) -> None:
    with session("web") as client:
        token = client.token["refresh_token"]
        ask = {"url": f"{server.issuer}/oauth2/introspect", "token": token, "token_type_hint": "refresh_token"}
        before = client.introspect_token(**ask).json()
        revoked = client.revoke_token(f"{server.issuer}/oauth2/revoke", token, token_type_hint="refresh_token")

        assert before["active"]
        assert before["client_id"] == "web"
        assert revoked.status_code == 200
        assert client.introspect_token(**ask).json() == {"active": False}
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.refresh_token()


def test_a_session_gets_a_token_for_a_machine(server: ServerProcess) -> None:
    with OAuth2Session("machine", SECRET, scope="email") as client:
        token = client.fetch_token(f"{server.issuer}/oauth2/token", grant_type="client_credentials")

    assert token["scope"] == "email"
    assert "refresh_token" not in token


def _private(alg: str) -> RSAKey | ECKey | OKPKey:
    members: Any = json.loads(signing_key_to_jwk(key_of(alg)))
    if members["kty"] == "RSA":
        return RSAKey.import_key(members)
    return ECKey.import_key(members) if members["kty"] == "EC" else OKPKey.import_key(members)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_an_application_with_a_key_of_its_own_signs_in_and_refreshes(
    alg: str, server: ServerProcess, person: Person
) -> None:
    by_key = {"token_endpoint_auth_method": "private_key_jwt", "code_challenge_method": "S256"}
    with OAuth2Session("keyed", _private(alg), scope=SCOPE, redirect_uri=REDIRECT_URI, **by_key) as client:
        client.register_client_auth_method(PrivateKeyJWT(alg=alg))
        url, state = client.create_authorization_url(f"{server.issuer}/oauth2/authorize")
        endpoint = f"{server.issuer}/oauth2/token"
        token = client.fetch_token(endpoint, authorization_response=person.callback(url, REDIRECT_URI), state=state)
        refreshed = client.refresh_token(endpoint)

    assert refreshed["refresh_token"] == token["refresh_token"]
    assert refreshed["access_token"] != token["access_token"]


def test_a_session_gets_a_token_for_a_machine_by_assertions_of_its_secret(server: ServerProcess) -> None:
    with OAuth2Session(
        "sealed-machine", SECRET, scope="email", token_endpoint_auth_method="client_secret_jwt"
    ) as client:
        client.register_client_auth_method(ClientSecretJWT())
        token = client.fetch_token(f"{server.issuer}/oauth2/token", grant_type="client_credentials")

    assert token["scope"] == "email"


# Its own decryption goes by a deprecated name: the successor is the library that our tests use elsewhere.
@pytest.mark.filterwarnings("ignore:authlib.jose module is deprecated")
@pytest.mark.parametrize("alg", ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"])
def test_what_is_encrypted_to_an_application_is_read_by_an_implementation_that_is_not_ours(
    alg: str, server: ServerProcess, person: Person
) -> None:
    from authlib.jose import JsonWebEncryption, JsonWebKey  # type: ignore[import-untyped] # noqa: PLC0415

    app = app_of(server, f"encrypted-{alg}")
    begun = app.create_authorization_url(REDIRECT_URI)
    callback = person.callback(begun["url"], REDIRECT_URI)
    token = app.fetch_access_token(
        REDIRECT_URI, authorization_response=callback, state=begun["state"], code_verifier=begun["code_verifier"]
    )
    userinfo = app.get(f"{server.issuer}/oauth2/userinfo", token=token)

    key = JsonWebKey.import_key(ENCRYPTED[alg].as_dict(private=True))
    opened = [JsonWebEncryption().deserialize_compact(jwe.encode(), key) for jwe in (token["id_token"], userinfo.text)]
    assert [each["header"]["cty"] for each in opened] == ["JWT", "JWT"]
    inside = app.parse_id_token({**token, "id_token": opened[0]["payload"].decode()}, nonce=begun["nonce"])
    assert (inside["sub"], claims_of(opened[1]["payload"].decode())["email"]) == ("ada", LOGIN)
