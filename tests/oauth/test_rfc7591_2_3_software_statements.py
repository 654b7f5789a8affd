"""Software statements (RFC 7591 §2.3): what somebody who is trusted says of a client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from asserting import jwks_of, sign, unsigned
from everbearer.oauth.client_registration import StatementIssuer
from everbearer.oauth.errors import InvalidClient, TemporarilyUnavailable
from registering import REDIRECT, Registrar, new_registrar
from world import ANY_STORE, NOW, World, key_of

pytestmark = ANY_STORE

ISSUER = "https://directory.example"
KEY, OTHER_KEY = key_of("ES256"), key_of("RS256")
CLAIMS: Mapping[str, Any] = {
    "iss": ISSUER,
    "iat": NOW,
    "exp": NOW + 60,
    "software_id": "calendar",
    "client_name": "Calendar",
    "redirect_uris": ["https://calendar.example/cb"],
}


@pytest.fixture
def registrar(world: World) -> Registrar:
    return new_registrar(world).allowing(statement_issuers=(StatementIssuer(issuer=ISSUER, jwks=jwks_of(KEY)),))


def statement(*, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return sign(claims, KEY, header or {})


@pytest.mark.spec("RFC 7591", "2.3", "3.1.1", "3.2.1")
async def test_what_a_statement_says_comes_before_what_the_client_says_and_both_are_told(registrar: Registrar) -> None:
    signed = statement()

    told = await registrar.registered(software_statement=signed, client_name="Bank", contacts=["ada@app.example"])

    assert told["software_statement"] == signed
    assert (told["client_name"], told["redirect_uris"]) == ("Calendar", ["https://calendar.example/cb"])
    assert (told["software_id"], told["contacts"]) == ("calendar", ["ada@app.example"])
    assert not told.keys() & {"iss", "iat", "exp"}


async def test_who_signed_the_statement_is_kept(registrar: Registrar) -> None:
    record = (await registrar.client(software_statement=statement())).registration

    assert record is not None
    assert record.statement_issuer == ISSUER


async def test_of_keys_that_come_in_two_ways_those_of_the_statement_are_the_clients(registrar: Registrar) -> None:
    jwks = json.loads(jwks_of(OTHER_KEY))

    told = await registrar.registered(
        software_statement=statement(jwks_uri="https://calendar.example/jwks"),
        jwks=jwks,
        token_endpoint_auth_method="private_key_jwt",
    )

    assert told["jwks_uri"] == "https://calendar.example/jwks"
    assert "jwks" not in told


async def test_a_statement_cannot_be_two_statements(registrar: Registrar) -> None:
    signed = statement(software_statement="another")

    assert (await registrar.registered(software_statement=signed))["software_statement"] == signed


async def test_what_a_statement_says_is_held_to_the_same_rules(registrar: Registrar) -> None:
    signed = statement(redirect_uris=["https://calendar.example/cb#x"])

    assert (await registrar.error(software_statement=signed))[1] == "invalid_redirect_uri"


@pytest.mark.spec("RFC 7591", "3.2.2")
@pytest.mark.parametrize(
    "signed",
    [
        "not a JWT",
        7,
        ["x"],
        unsigned(dict(CLAIMS), alg="none"),
        unsigned(dict(CLAIMS), alg="ES256"),
        sign(dict(CLAIMS), OTHER_KEY),
        sign(dict(CLAIMS), "a secret that is known to both, say"),
        statement(exp=NOW - 61),
        statement(exp="soon"),
        statement(exp=True),
        statement(exp=float("nan")),
        statement(nbf=NOW + 61),
        statement(iat=NOW + 61),
        statement(header={"crit": ["b64"], "b64": True}),
        statement(header={"typ": "at+jwt"}),
        statement(software_id=None, client_name=None, redirect_uris=None, nonce="of an ID token"),
    ],
)
async def test_a_statement_that_its_issuer_did_not_sign_or_not_for_now_is_invalid(
    registrar: Registrar, signed: object
) -> None:
    status, error, description = await registrar.error(software_statement=signed)

    assert (status, error) == (400, "invalid_software_statement")
    assert "software_statement" in description


@pytest.mark.parametrize(
    "signed",
    [
        statement(exp=NOW - 59),
        statement(exp=None, iat=None),
        statement(nbf=NOW + 60),
        statement(header={"typ": "JWT"}),
        statement(header={"typ": "application/software-statement+jwt"}),
    ],
)
async def test_clocks_may_differ_a_little_and_a_statement_need_not_end(registrar: Registrar, signed: str) -> None:
    assert (await registrar.register(software_statement=signed)).status == 201


@pytest.mark.spec("RFC 7591", "3.2.2")
@pytest.mark.parametrize("iss", [None, "https://nobody.example", 7, ["https://directory.example"]])
async def test_a_statement_of_somebody_who_is_not_trusted_is_not_approved(registrar: Registrar, iss: object) -> None:
    assert (await registrar.error(software_statement=statement(iss=iss)))[:2] == (400, "unapproved_software_statement")


@pytest.mark.parametrize("none", [None, ""])
async def test_where_a_statement_is_needed_none_is_not_approved(registrar: Registrar, none: str | None) -> None:
    strict = registrar.allowing(require_software_statement=True)

    assert (await strict.error(software_statement=none))[1] == "unapproved_software_statement"
    assert (await strict.register(software_statement=statement())).status == 201


async def test_keys_of_an_issuer_that_cannot_be_used_verify_nothing(registrar: Registrar) -> None:
    async def jwks(uri: str, *, anew: bool) -> str:  # noqa: ARG001 - the shape of `jwks`
        return '{"keys": []}'

    issuers = (StatementIssuer(issuer=ISSUER, jwks_uri="https://directory.example/jwks"),)
    published = registrar.allowing(statement_issuers=issuers)
    broken = replace(published, world=replace(published.world, server=replace(published.world.server, jwks=jwks)))

    assert (await broken.error(software_statement=statement()))[1] == "invalid_software_statement"


async def test_an_issuer_may_publish_a_new_key(registrar: Registrar) -> None:
    asked: list[bool] = []

    async def jwks(uri: str, *, anew: bool) -> str:
        assert uri == "https://directory.example/jwks"
        asked.append(anew)
        return jwks_of(KEY if anew else OTHER_KEY)

    issuers = (StatementIssuer(issuer=ISSUER, jwks_uri="https://directory.example/jwks"),)
    published = registrar.allowing(statement_issuers=issuers)
    world = replace(published.world, server=replace(published.world.server, jwks=jwks))

    assert (await replace(published, world=world).register(software_statement=statement())).status == 201
    assert asked == [False, True]


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (InvalidClient("the jwks_uri of this client answers 404"), (400, "invalid_software_statement")),
        (TemporarilyUnavailable("busy", retry_after=9), (503, "temporarily_unavailable")),
    ],
)
async def test_an_issuer_whose_keys_cannot_be_had_vouches_for_nobody(
    registrar: Registrar, problem: Exception, expected: tuple[int, str]
) -> None:
    async def jwks(uri: str, *, anew: bool) -> str:  # noqa: ARG001 - the shape of a source
        raise problem

    issuers = (StatementIssuer(issuer=ISSUER, jwks_uri="https://directory.example/jwks"),)
    published = registrar.allowing(statement_issuers=issuers)
    world = replace(published.world, server=replace(published.world.server, jwks=jwks))

    assert (await replace(published, world=world).error(software_statement=statement()))[:2] == expected


@pytest.mark.spec("RFC 7592", "2.2")
async def test_a_client_that_changes_itself_without_its_statement_has_none_any_more(registrar: Registrar) -> None:
    told = await registrar.registered(software_statement=statement())

    answer = await registrar.update(told, software_statement=None, redirect_uris=[REDIRECT])

    record = (await registrar.world.client(told["client_id"])).registration
    assert record is not None
    assert record.statement_issuer == ""
    assert "software_statement" not in answer.json


async def test_a_statement_is_looked_at_again_when_it_comes_with_a_change(registrar: Registrar) -> None:
    told = await registrar.registered(software_statement=statement())
    in_time = await registrar.update(told, client_name="Bank")
    registrar.world.clock.advance(200)

    too_late = await registrar.update(told)

    assert in_time.json["client_name"] == "Calendar"
    assert (too_late.status, too_late.error) == (400, "invalid_software_statement")
