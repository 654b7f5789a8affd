"""OpenID Connect Core §10.2: answers encrypted to a key of their client, which keys, and how these may change."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from asserting import jwks_of, proof, with_keys
from encrypting import Key, decrypted, jwk_of, key_of_kind, published, with_encryption
from everbearer.oauth.crypto.jwe import CONTENT_ENCRYPTION, KEY_ENCRYPTION
from everbearer.oauth.encoding import base64url
from everbearer.oauth.errors import InvalidClient, TemporarilyUnavailable
from everbearer.oauth.events import EventKind
from every_store import ON_EVERY_STORE
from publishing import Publisher
from world import ANY_STORE, ISSUER, Answer, World, key_of

URI = "https://partner.example/jwks.json"
RSA, EC = key_of_kind("RSA"), key_of_kind("P-256")
OLD, NEW = key_of_kind("P-256", 1), key_of_kind("P-256", 2)
ECDH = "ECDH-ES+A256KW"


async def _publishing(world: World, publisher: Publisher, alg: str = ECDH, client: str = "partner") -> World:
    await with_encryption(world, client, "id_token", alg, jwks_uri=URI)
    return replace(world, server=replace(world.server, jwks=publisher))


def _id_token(answer: Answer, key: Key) -> dict[str, Any]:
    return decrypted(answer.json["id_token"], key).claims


# What is encrypted, and how


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "2", "10.2")
@pytest.mark.spec("RFC 7518", "4.1")
@pytest.mark.parametrize("alg", KEY_ENCRYPTION)
async def test_an_id_token_is_signed_then_encrypted_to_a_key_of_its_client(world: World, alg: str) -> None:
    key = RSA if alg.startswith("RSA") else EC
    await with_encryption(world, "partner", "id_token", alg, "A128GCM", jwks=published(RSA, EC))

    opened = decrypted((await world.sign_in("partner", nonce="n")).json["id_token"], key)

    header = {name: opened.header[name] for name in ("typ", "cty", "alg", "enc", "kid")}
    assert header == {"typ": "JWT", "cty": "JWT", "alg": alg, "enc": "A128GCM", "kid": key.thumbprint()}
    assert (opened.claims["iss"], opened.claims["aud"], opened.claims["nonce"]) == (ISSUER, "partner", "n")


@ANY_STORE
@pytest.mark.spec("RFC 7518", "5.1")
@pytest.mark.parametrize("enc", CONTENT_ENCRYPTION)
async def test_its_content_is_encrypted_as_is_registered(world: World, enc: str) -> None:
    await with_encryption(world, "partner", "id_token", "ECDH-ES", enc, jwks=published(EC))

    opened = decrypted((await world.sign_in("partner")).json["id_token"], EC)

    assert opened.header["enc"] == enc
    assert opened.claims["sub"] == "ada"


@ANY_STORE
@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
async def test_the_usual_encryption_of_content_is_a128cbc_hs256(world: World) -> None:
    await with_encryption(world, "partner", "id_token", "RSA-OAEP", jwks=published(RSA))

    assert decrypted((await world.sign_in("partner")).json["id_token"], RSA).header["enc"] == "A128CBC-HS256"


@ANY_STORE
@pytest.mark.spec("RFC 7518", "4.6")
@pytest.mark.spec("RFC 8037", "3.2")
@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521", "X25519"])
async def test_keys_are_agreed_on_on_every_curve(world: World, kind: str) -> None:
    key = key_of_kind(kind)
    await with_encryption(world, "partner", "id_token", "ECDH-ES", jwks=published(key))

    assert _id_token(await world.sign_in("partner"), key)["sub"] == "ada"


@ON_EVERY_STORE
@pytest.mark.spec("OpenID Connect Core", "12.2")
async def test_an_id_token_that_comes_with_a_refresh_is_encrypted_too(world: World) -> None:
    await with_encryption(world, "partner", "id_token", ECDH, jwks=published(EC))
    token = await world.refresh_token("partner")

    answer = await world.refresh(token, client="partner")

    assert _id_token(answer, EC)["aud"] == "partner"


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "12.2")
async def test_a_refresh_without_openid_needs_no_key(world: World) -> None:
    publisher = Publisher(URI, published(EC))
    published_world = await _publishing(world, publisher)
    token = await published_world.refresh_token("partner", scope="openid email offline_access")
    publisher.asked.clear()

    answer = await published_world.refresh(token, client="partner", scope="email")

    assert "id_token" not in answer.json
    assert publisher.asked == []


# Which key


@ANY_STORE
@pytest.mark.spec("RFC 7517", "4.2", "4.3", "4.4", "5")
@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"use": None}, True),
        ({"use": "sig"}, False),
        ({"alg": "ECDH-ES"}, True),
        ({"alg": "ECDH-ES+A128KW"}, False),
        ({"key_ops": []}, True),
        ({"key_ops": ["deriveKey"]}, True),
        ({"key_ops": ["verify"]}, False),
        ({"key_ops": "deriveKey"}, False),
        ({"x": "AA"}, False),
        ({"crv": "secp256k1"}, False),
        ({"crv": "Ed25519"}, False),
        ({"kty": "oct"}, False),
    ],
    ids=str,
)
async def test_a_key_is_used_that_says_that_it_is_for_this(world: World, changes: dict[str, Any], fits: bool) -> None:
    await with_encryption(world, "partner", "id_token", "ECDH-ES", jwks=published(EC, **changes))

    assert (await world.sign_in("partner")).status == (200 if fits else 400)


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "10.2")
async def test_of_several_keys_the_first_that_says_that_it_is_for_encryption_is_named_by_its_kid(world: World) -> None:
    keys = [jwk_of(key_of_kind("P-256", 3), use=None), jwk_of(RSA), jwk_of(OLD), jwk_of(NEW)]
    await with_encryption(world, "partner", "id_token", ECDH, jwks=json.dumps({"keys": keys}))

    opened = decrypted((await world.sign_in("partner")).json["id_token"], OLD)

    assert opened.header["kid"] == OLD.thumbprint()


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "10.2")
async def test_a_key_without_a_kid_is_named_by_none(world: World) -> None:
    await with_encryption(world, "partner", "id_token", ECDH, jwks=published(EC, kid=None))

    assert "kid" not in decrypted((await world.sign_in("partner")).json["id_token"], EC).header


@ANY_STORE
@pytest.mark.spec("RFC 7518", "4.3")
@pytest.mark.filterwarnings("ignore:Key size should be")
async def test_a_small_rsa_key_is_not_used(world: World) -> None:
    await with_encryption(world, "partner", "id_token", "RSA-OAEP", jwks=published(RSA, n="AQAB" * 43))

    assert (await world.sign_in("partner")).error == "invalid_client_metadata"


# When keys change


@ON_EVERY_STORE
@pytest.mark.rt("RT-15")
@pytest.mark.spec("OpenID Connect Core", "10.2.1")
async def test_encryption_keys_may_change_between_two_refreshes(world: World) -> None:
    publisher = Publisher(URI, published(OLD))
    world = await _publishing(world, publisher)
    token = await world.refresh_token("partner")
    before = await world.refresh(token, client="partner")
    publisher.published, publisher.seen = published(NEW), ""

    after = await world.refresh(before.refresh_token, client="partner")

    assert _id_token(before, OLD)["sub"] == _id_token(after, NEW)["sub"] == "ada"


@ANY_STORE
@pytest.mark.rt("RT-15")
@pytest.mark.spec("OpenID Connect Core", "10.1.1", "10.2.1")
async def test_keys_that_sign_and_keys_that_decrypt_change_together(world: World) -> None:
    def everything(signer: str, reader: Key) -> str:
        return json.dumps({"keys": [*json.loads(jwks_of(key_of(signer)))["keys"], jwk_of(reader)]})

    publisher = Publisher(URI, everything("ES256", OLD))
    await with_keys(world, "web", jwks_uri=URI)
    world = await _publishing(world, publisher, client="web")
    code = await world.authorize("web")
    before = await world.redeem(code, client="web", **proof(world, key=key_of("ES256")))
    publisher.published = everything("EdDSA", NEW)

    after = await world.refresh(before.refresh_token, client="web", **proof(world, key=key_of("EdDSA")))

    assert _id_token(before, OLD)["sub"] == _id_token(after, NEW)["sub"] == "ada"


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "10.2.1")
async def test_what_is_known_will_do_while_a_key_of_it_fits(world: World) -> None:
    publisher = Publisher(URI, published(OLD))
    world = await _publishing(world, publisher)

    answers = [await world.sign_in("partner") for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert publisher.asked == [False, False, False]


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "10.2.1")
@pytest.mark.parametrize("seen", [published(RSA), "<html>"], ids=["no key fits", "no JWK Set"])
async def test_the_uri_is_asked_again_where_no_known_key_fits(world: World, seen: str) -> None:
    publisher = Publisher(URI, published(NEW), seen=seen)
    world = await _publishing(world, publisher)

    answer = await world.sign_in("partner")

    assert _id_token(answer, NEW)["sub"] == "ada"
    assert publisher.asked == [False, True]


# When nothing fits


@ANY_STORE
@pytest.mark.spec("RFC 7591", "3.2.2")
@pytest.mark.parametrize(
    ("document", "description"),
    [
        (published(EC), "has no key to encrypt to with RSA-OAEP: add one of the kind RSA with ?use?: ?enc?"),
        ("<html>", "is not JSON"),
        ("[]", "is not a JWK Set"),
        (json.dumps({"keys": [RSA.as_dict(private=True)]}), "holds a private key"),
    ],
)
async def test_keys_that_do_not_fit_are_told_to_developer_and_operator(
    world: World, document: str, description: str
) -> None:
    world = await _publishing(world, Publisher(URI, document), alg="RSA-OAEP")

    answer = await world.sign_in("partner")

    assert (answer.status, answer.error) == (400, "invalid_client_metadata")
    assert f"the jwks_uri of this client {description}" in answer.json["error_description"]
    told = [event for event in world.heard if event.kind is EventKind.CLIENT_KEYS_UNUSABLE]
    assert [event.client_id for event in told] == ["partner"]


@ANY_STORE
@pytest.mark.spec("RFC 7591", "3.2.2")
async def test_where_only_an_ecdh_key_would_fit_the_curves_are_named(world: World) -> None:
    world = await _publishing(world, Publisher(URI, published(RSA)))

    assert "EC (P-256, P-384, P-521) or OKP (X25519)" in (await world.sign_in("partner")).json["error_description"]


@ANY_STORE
@pytest.mark.spec("RFC 8725", "3.4")
@pytest.mark.parametrize(
    ("alg", "key", "changes", "named"),
    [
        ("RSA-OAEP", RSA, {"n": base64url(b"\x80" + bytes(255)), "kid": "even"}, "even"),
        ("ECDH-ES", key_of_kind("X25519"), {"x": base64url(bytes(32)), "kid": None}, "without a kid"),
    ],
)
async def test_a_key_that_is_not_sound_is_told_and_spends_nothing(
    world: World, alg: str, key: Key, changes: dict[str, Any], named: str
) -> None:
    code = await world.authorize("partner")
    await with_encryption(world, "partner", "id_token", alg, jwks=published(key, **changes))

    refused = await world.redeem(code, client="partner")

    assert (refused.status, refused.error) == (400, "invalid_client_metadata")
    assert f"the client's key {named} is not sound" in refused.json["error_description"]
    await world.change_client("partner", jwks=published(key))
    assert (await world.redeem(code, client="partner")).status == 200


@ON_EVERY_STORE
@pytest.mark.spec("OpenID Connect Core", "12.2")
@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        ("{}", 400),
        (InvalidClient("the jwks_uri of this client answers 404"), 400),
        (TemporarilyUnavailable("it does not answer", retry_after=10), 503),
    ],
    ids=["no keys", "not there", "busy"],
)
@pytest.mark.parametrize("client", ["partner", "rotating"])
async def test_what_cannot_be_encrypted_spends_no_refresh_token(
    world: World, client: str, trouble: str | Exception, status: int
) -> None:
    publisher = Publisher(URI, published(OLD))
    world = await _publishing(world, publisher, client=client)
    token = await world.refresh_token(client)
    publisher.published, publisher.seen = trouble, ""
    generation = (await world.grant(token)).generation

    refused = await world.refresh(token, client=client)

    assert refused.status == status
    assert refused.headers.get("retry-after") == ("10" if status == 503 else None)
    assert (await world.grant(token)).generation == generation
    publisher.published = published(NEW)
    assert _id_token(await world.refresh(token, client=client), NEW)["sub"] == "ada"


@ON_EVERY_STORE
@pytest.mark.spec("RFC 6749", "4.1.2")
async def test_what_cannot_be_encrypted_redeems_no_code(world: World) -> None:
    publisher = Publisher(URI, TemporarilyUnavailable("it does not answer", retry_after=10))
    world = await _publishing(world, publisher)
    code = await world.authorize("partner")
    refused = await world.redeem(code, client="partner")
    publisher.published = published(OLD)

    answer = await world.redeem(code, client="partner")

    assert (refused.status, answer.status) == (503, 200)


@ANY_STORE
@pytest.mark.spec("RFC 7591", "3.2.2")
async def test_a_server_that_fetches_nothing_says_so(world: World) -> None:
    await with_encryption(world, "partner", "id_token", ECDH, jwks_uri=URI)

    answer = await world.sign_in("partner")

    assert (answer.status, answer.error) == (400, "invalid_client_metadata")
    assert "register the keys themselves" in answer.json["error_description"]


# As a hint


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_the_signed_id_token_from_inside_is_the_hint_and_the_encrypted_one_is_none(world: World) -> None:
    await with_encryption(world, "partner", "id_token", ECDH, jwks=published(EC))
    outer = (await world.sign_in("partner")).json["id_token"]

    with_outer = await world.authorization_response("partner", id_token_hint=outer)
    with_inner = await world.authorization_response("partner", id_token_hint=decrypted(outer, EC).content)

    assert with_outer.members["error"] == "invalid_request"
    assert "code" in with_inner.members
