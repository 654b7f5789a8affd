"""The unmodified `openid-client` and `oauth4webapi` in Node."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.person import LOGIN, Person
from clients.programs import node, running
from clients.settings import ALGORITHMS, ENCRYPTED, REDIRECT_URI, SECRET
from everbearer.oauth.crypto.keys import signing_key_to_jwk
from server_process import ServerProcess
from world import claims_of, key_of

BYE = "http://127.0.0.1:49152/bye"


def whole_life(script: str, person: Person, server: ServerProcess, **environ: str) -> dict[str, Any]:
    """Run a client from sign-in to its end and return what it found."""
    shared = {"ISSUER": server.issuer, "REDIRECT_URI": REDIRECT_URI, "CLIENT_SECRET": SECRET}
    with running(node(script), shared | environ) as client:
        client.tell(person.callback(client.hear()["visit"], REDIRECT_URI))
        result: dict[str, Any] = client.hear()["result"]
        return result


def test_openid_client_lives_with_a_user(person: Person, server: ServerProcess) -> None:
    life = whole_life(
        "openid_client.mjs", person, server, CLIENT_ID="stranger", ALG="ES256", POST_LOGOUT_REDIRECT_URI=BYE
    )

    assert person.met[0] == "sign-in"
    assert life["claims"]["sub"] == life["userinfo"]["sub"] == life["refreshed_claims"]["sub"] == "ada"
    assert life["userinfo"]["email"] == LOGIN
    assert "name" not in life["userinfo"]
    assert life["tokens"]["expires_in"] == 1800
    assert life["refreshed"]["access_token"] != life["tokens"]["access_token"]
    assert life["narrowed"]["scope"] == "openid"
    assert life["introspected"]["before"]["active"]
    assert life["introspected"]["before"]["scope"] == "openid email offline_access"
    assert life["introspected"]["asked"]["active"]
    assert life["introspected"]["after"] == {"active": False}
    assert life["refused"] == life["nonsense"] == "invalid_grant"


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_openid_client_verifies_id_tokens_of_every_algorithm(alg: str, person: Person, server: ServerProcess) -> None:
    life = whole_life("openid_client.mjs", person, server, CLIENT_ID=f"signed-{alg}", ALG=alg)

    assert alg in life["metadata"]["id_token_signing_alg_values_supported"]
    assert life["claims"]["sub"] == "ada"
    assert life["refreshed_claims"]["aud"] == f"signed-{alg}"


@pytest.mark.parametrize("alg", ENCRYPTED)
def test_openid_client_decrypts_all_that_is_encrypted_to_it(alg: str, person: Person, server: ServerProcess) -> None:
    key = ENCRYPTED[alg]
    jwk = json.dumps({**key.as_dict(private=True), "kid": key.thumbprint(), "alg": alg})

    life = whole_life(
        "openid_client.mjs", person, server, CLIENT_ID=f"encrypted-{alg}", ALG="ES256", DECRYPTION_JWK=jwk
    )

    assert {token.count(".") for token in (life["tokens"]["id_token"], life["refreshed"]["id_token"])} == {4}
    assert life["claims"]["sub"] == life["userinfo"]["sub"] == life["refreshed_claims"]["sub"] == "ada"
    assert life["userinfo"]["email"] == LOGIN
    assert life["introspected"]["before"]["active"]
    assert life["introspected"]["after"] == {"active": False}


def test_openid_client_gets_tokens_for_one_api_after_another(person: Person, server: ServerProcess) -> None:
    apis = {"ORDERS": "https://orders.example/", "FILES": "https://files.example/"}

    life = whole_life("resource_indicators.mjs", person, server, CLIENT_ID="of-resources", **apis)

    assert claims_of(life["tokens"]["access_token"])["aud"] == apis["ORDERS"]
    assert life["tokens"]["scope"] == "orders"
    assert claims_of(life["files"]["access_token"])["aud"] == apis["FILES"]
    assert life["userinfo"]["email"] == LOGIN
    assert life["refused"] == "OAUTH_WWW_AUTHENTICATE_CHALLENGE"
    assert life["other"] == "invalid_target"


def test_oauth4webapi_lives_with_a_user(person: Person, server: ServerProcess) -> None:
    life = whole_life("oauth4webapi.mjs", person, server, CLIENT_ID="public")

    assert life["discovered"]["oidc"] == life["discovered"]["oauth2"]
    assert life["userinfo"]["name"] == "Ada Example"
    assert "email" not in life["userinfo"]
    assert life["jwt"]["client_id"] == "public"
    assert life["jwt"]["sub"] == "ada"
    assert life["refreshed"]["refresh_token"] != life["tokens"]["refresh_token"]
    assert life["retried"]["refresh_token"] == life["lost"]["refresh_token"]
    assert life["wider"] == "invalid_scope"
    assert life["refused"] == "invalid_grant"


def private_jwk(alg: str) -> str:
    """Return the key that signs for the clients with keys, as such a client has it."""
    key = key_of(alg)
    return json.dumps({**json.loads(signing_key_to_jwk(key)), "kid": key.kid})


@pytest.mark.parametrize(("client_id", "method"), [("stranger", "client_secret_basic"), ("keyed", "private_key_jwt")])
def test_openid_client_signs_the_user_out(client_id: str, method: str, person: Person, server: ServerProcess) -> None:
    proof = {"CLIENT_ID": client_id, "METHOD": method, "PRIVATE_JWK": private_jwk("ES256"), "ALG": "ES256"}
    life = whole_life("openid_client.mjs", person, server, POST_LOGOUT_REDIRECT_URI=BYE, **proof)

    assert person.callback(life["end_session"], BYE) == f"{BYE}?state=bye"
    whole_life("openid_client.mjs", person, server, **proof)
    assert person.met.count("sign-in") == 2


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_openid_client_lives_with_a_user_by_a_key_of_its_own(alg: str, person: Person, server: ServerProcess) -> None:
    proof = {"METHOD": "private_key_jwt", "PRIVATE_JWK": private_jwk(alg)}

    life = whole_life("openid_client.mjs", person, server, CLIENT_ID="keyed", ALG="ES256", **proof)

    assert life["refreshed_claims"]["aud"] == "keyed"
    assert life["introspected"]["asked"]["active"]
    assert life["introspected"]["after"] == {"active": False}
    assert life["refused"] == "invalid_grant"


def test_openid_client_lives_with_a_user_by_assertions_of_its_secret(person: Person, server: ServerProcess) -> None:
    life = whole_life("openid_client.mjs", person, server, CLIENT_ID="sealed", ALG="ES256", METHOD="client_secret_jwt")

    assert life["refreshed_claims"]["aud"] == "sealed"
    assert life["introspected"]["after"] == {"active": False}
    assert life["refused"] == "invalid_grant"


@pytest.mark.parametrize(
    ("client_id", "method"), [("keyed-machine", "private_key_jwt"), ("sealed-machine", "client_secret_jwt")]
)
def test_openid_client_gets_a_token_for_a_machine_by_assertion(
    client_id: str, method: str, server: ServerProcess
) -> None:
    proof = {"METHOD": method, "PRIVATE_JWK": private_jwk("ES256"), "CLIENT_SECRET": SECRET}
    with running(node("client_credentials.mjs"), {"ISSUER": server.issuer, "CLIENT_ID": client_id, **proof}) as client:
        result = client.hear()["result"]

    assert result["tokens"]["scope"] == "email"
    assert result["introspected"]["client_id"] == client_id


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_openid_client_gets_a_token_for_a_machine(method: str, server: ServerProcess) -> None:
    environ = {"ISSUER": server.issuer, "CLIENT_ID": "machine", "CLIENT_SECRET": SECRET, "METHOD": method}
    with running(node("client_credentials.mjs"), environ) as client:
        result = client.hear()["result"]

    assert "refresh_token" not in result["tokens"]
    assert result["tokens"]["scope"] == "email"
    assert result["introspected"]["active"]
    assert result["introspected"]["client_id"] == "machine"
