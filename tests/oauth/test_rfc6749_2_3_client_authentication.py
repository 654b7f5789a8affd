"""RFC 6749 §2.3, client authentication, at the token endpoint."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

import pytest

from everbearer.oauth.client import AuthMethod
from everbearer.oauth.clients.authentication import hash_client_secret
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.events import EventKind
from world import ANY_STORE, SECRET, SERVER_SECRET, Answer, World, basic

pytestmark = ANY_STORE

ODD_SECRET = "p+q r%2F\u00e9:s"


async def _ask(world: World, client: str = "machine", *, headers: Mapping[str, str], **changes: Any) -> Answer:
    """Ask for a client's own token, with credentials as given alone."""
    form = {"client_id": None, "client_secret": None, **changes}
    return await world.client_credentials(client, headers=headers, **form)


def _raw_basic(text: bytes | str) -> dict[str, str]:
    encoded = text if isinstance(text, str) else b64encode(text).decode()
    return {"authorization": f"Basic {encoded}"}


@pytest.mark.spec("RFC 6749", "2.3.1")
async def test_a_secret_may_be_sent_by_http_basic(world: World) -> None:
    assert (await _ask(world, headers=basic("machine", SECRET))).status == 200


@pytest.mark.spec("RFC 6749", "2.3.1")
async def test_a_secret_may_be_sent_in_the_body(world: World) -> None:
    assert (await world.client_credentials()).status == 200


@pytest.mark.spec("RFC 7235", "2.1")
@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc"])
async def test_the_scheme_is_written_in_any_case(world: World, scheme: str) -> None:
    header = basic("machine", SECRET)["authorization"].replace("Basic", scheme)

    assert (await _ask(world, headers={"authorization": header})).status == 200


@pytest.mark.spec("RFC 6749", "2.3.1", "B")
@pytest.mark.parametrize("encode", [quote_plus, str], ids=["form-encoded", "raw"])
async def test_basic_credentials_are_taken_form_encoded_and_raw(world: World, encode: Any) -> None:
    await world.change_client("machine", secrets=(hash_client_secret(ODD_SECRET, world.server),))

    answer = await _ask(world, headers=basic(encode("machine"), encode(ODD_SECRET)))

    assert answer.status == 200


@pytest.mark.spec("RFC 6749", "2.3.1")
async def test_a_client_id_may_need_form_encoding(world: World) -> None:
    odd = replace(await world.client("machine"), client_id="a b%c")
    await world.store.put_client(odd, world.event(EventKind.CLIENT_CREATED))

    assert (await _ask(world, headers=basic("a+b%25c", SECRET))).status == 200
    assert (await _ask(world, headers=basic("a+b%25c", SECRET), client_id="a b%c")).status == 200
    assert (await _ask(world, headers=basic("a b%c", SECRET))).status == 200


@pytest.mark.spec("RFC 6749", "2.3")
@pytest.mark.parametrize("secret", [SECRET, "wrong"])
async def test_two_methods_at_once_are_refused(world: World, secret: str) -> None:
    answer = await _ask(world, headers=basic("machine", SECRET), client_secret=secret)

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 6749", "2.3")
async def test_basic_and_a_body_that_name_different_clients_are_refused(world: World) -> None:
    answer = await _ask(world, headers=basic("machine", SECRET), client_id="web")

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 6749", "3.2.1")
async def test_the_client_id_may_stand_in_the_body_beside_basic(world: World) -> None:
    assert (await _ask(world, headers=basic("machine", SECRET), client_id="machine")).status == 200


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    "header",
    [
        _raw_basic(b"machine:wrong"),
        _raw_basic(b"nobody:secret"),
        _raw_basic(b"machine:"),
        _raw_basic(b"machine"),
        _raw_basic(b":secret"),
        _raw_basic(b"\xff\xfe:\xff"),
        _raw_basic("not base64!"),
        _raw_basic("\u00e9\u00e9"),
        _raw_basic(""),
        {"authorization": "Basic"},
    ],
    ids=str,
)
async def test_failed_basic_is_a_401_that_asks_for_basic(world: World, header: dict[str, str]) -> None:
    answer = await _ask(world, headers=header)

    assert (answer.status, answer.error) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith('Basic realm="')


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    "form",
    [
        {"client_id": "machine", "client_secret": "wrong"},
        {"client_id": "machine"},
        {"client_id": "nobody"},
        {"client_id": "nobody", "client_secret": "secret"},
        {"client_secret": SECRET},
        {},
        {"client_assertion": "e30.e30.x", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:x"},
        {"client_id": "machine", "client_assertion": "x"},
    ],
    ids=str,
)
async def test_failure_in_the_body_is_a_401_that_asks_for_no_scheme(world: World, form: dict[str, str]) -> None:
    answer = await _ask(world, headers={}, **form)

    assert (answer.status, answer.error) == (401, "invalid_client")
    assert "www-authenticate" not in answer.headers


@pytest.mark.spec("RFC 6749", "2.3")
@pytest.mark.parametrize(
    ("method", "by_basic", "by_post"),
    [(None, 200, 200), (AuthMethod.BASIC, 200, 401), (AuthMethod.POST, 401, 200)],
)
async def test_a_client_may_be_bound_to_one_method(
    world: World, method: AuthMethod | None, by_basic: int, by_post: int
) -> None:
    await world.change_client("machine", token_endpoint_auth_method=method)

    answers = (await _ask(world, headers=basic("machine", SECRET)), await world.client_credentials())

    assert tuple(answer.status for answer in answers) == (by_basic, by_post)
    for answer in answers:
        assert answer.status == 200 or str(method) in answer.json["error_description"]


@pytest.mark.spec("RFC 6749", "2.3.1")
async def test_an_older_secret_stays_good_beside_a_newer_one(world: World) -> None:
    kept = (await world.client("machine")).secrets
    await world.change_client("machine", secrets=(hash_client_secret("newer", world.server), *kept))

    assert (await _ask(world, headers=basic("machine", SECRET))).status == 200
    assert (await _ask(world, headers=basic("machine", "newer"))).status == 200
    assert (await _ask(world, headers=basic("machine", "newest"))).status == 401


@pytest.mark.spec("RFC 6749", "2.3.1")
async def test_a_new_server_secret_leaves_client_secrets_good(world: World) -> None:
    sealer = Sealer([b"a secret that is newer than the other", SERVER_SECRET])
    changed = replace(world, server=replace(world.server, sealer=sealer))

    assert (await changed.client_credentials()).status == 200


@pytest.mark.spec("RFC 6749", "2.1")
async def test_a_public_client_may_name_itself_by_basic_without_a_password(world: World) -> None:
    token = await world.refresh_token()

    assert (await world.refresh(token, client_id=None, headers=basic("spa", ""))).status == 200
    assert (await world.refresh(token, client_id=None, headers=basic("spa", "x"))).status == 401


@pytest.mark.spec("RFC 6749", "2.3")
async def test_a_public_client_that_got_a_secret_must_use_it(world: World) -> None:
    token = await world.refresh_token()
    await world.change_client("spa", secrets=(hash_client_secret("new", world.server),))

    assert (await world.refresh(token, client_secret=None)).error == "invalid_client"
    assert (await world.refresh(token, client_secret="new")).status == 200


@pytest.mark.rt("RT-56")
@pytest.mark.spec("RFC 6749", "5.2")
async def test_a_disabled_client_is_refused_like_an_unknown_one(world: World) -> None:
    await world.change_client("machine", disabled_at=world.clock.now)

    answer = await world.client_credentials()

    assert (answer.status, answer.error) == (401, "invalid_client")
    assert answer.body == (await world.client_credentials("nobody", client_id="nobody")).body


@pytest.mark.spec("RFC 6749", "10.3")
async def test_failures_are_told_to_who_listens_without_the_secret(world: World) -> None:
    await world.client_credentials(client_secret="wrong-secret")
    await world.client_credentials("nobody", client_id="x" * 50)

    assert [(event.kind, event.client_id) for event in world.heard] == [
        (EventKind.CLIENT_AUTHENTICATION_FAILED, "machine"),
        (EventKind.CLIENT_AUTHENTICATION_FAILED, ""),
    ]
    assert "wrong-secret" not in repr(world.heard)


@pytest.mark.spec("RFC 6749", "10.1")
async def test_the_client_id_of_one_and_the_secret_of_another_are_refused(world: World) -> None:
    await world.change_client("web", secrets=(hash_client_secret("of web alone", world.server),))

    assert (await _ask(world, headers=basic("machine", "of web alone"))).status == 401
