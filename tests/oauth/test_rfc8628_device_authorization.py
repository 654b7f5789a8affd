"""RFC 8628 §3.1 to §3.3: a device asks, and what stands behind its user code."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from device_world import DEVICE_GRANTS, ask_device, device
from everbearer.oauth.authorization.device_authorization import (
    complete_device_authorization,
    device_authorization_endpoint,
    find_device_authorization,
    refuse_device_authorization,
)
from everbearer.oauth.authorization.user_codes import ALPHABET, new_user_code, read_user_code, shown_user_code
from everbearer.oauth.client import CLIENT_CREDENTIALS, DEVICE_CODE, SubjectType
from everbearer.oauth.endpoints.metadata import metadata
from everbearer.oauth.models import DeviceAuthorization
from meddled_store import MeddledStore, calls_of, meddled, nothing, on_store
from world import ANY_STORE, SECRET, World, basic


@pytest.mark.spec("RFC 8628", "3.2")
async def test_a_device_gets_a_code_to_poll_with_and_one_to_show(world: World) -> None:
    answer = (await device(world)).answer

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert re.fullmatch(r"erd_[A-Za-z0-9_-]{76}", answer.json["device_code"])
    assert re.fullmatch(f"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", answer.json["user_code"])
    assert answer.json["verification_uri"] == "https://id.example/device"
    assert answer.json["verification_uri_complete"] == f"https://id.example/device?user_code={answer.json['user_code']}"
    assert (answer.json["expires_in"], answer.json["interval"]) == (600, 5)


@ANY_STORE
async def test_the_page_for_user_codes_may_be_anywhere(world: World) -> None:
    world.server = replace(world.server, verification_uri="https://example.com/tv", polling_interval=9)
    answer = (await device(world)).answer

    assert answer.json["verification_uri_complete"].startswith("https://example.com/tv?user_code=")
    assert answer.json["interval"] == 9


@pytest.mark.spec("RFC 8628", "3.2")
@ANY_STORE
async def test_the_codes_live_as_long_as_their_client_says(world: World) -> None:
    await world.lifetimes("spa", device_code=120)
    asked = await device(world)
    assert asked.answer.json["expires_in"] == 120
    world.clock.advance(120)

    assert await find_device_authorization(asked.user_code, world.server) is None
    assert (await asked.poll()).error == "expired_token"


@pytest.mark.spec("RFC 8628", "3.1")
async def test_a_confidential_client_authenticates_as_at_the_token_endpoint(world: World) -> None:
    await world.change_client("web", grant_types=DEVICE_GRANTS)
    form = {"client_secret": "wrong", "scope": "read"}

    assert (await ask_device(world, "web", **form)).error == "invalid_client"
    assert (await ask_device(world, "web", client_secret=None)).status == 401
    assert (await ask_device(world, "web")).status == 200


@pytest.mark.spec("RFC 8628", "3.1")
@ANY_STORE
async def test_http_basic_will_do_too(world: World) -> None:
    await world.change_client("web", grant_types=DEVICE_GRANTS)
    answer = await world.send(device_authorization_endpoint, {"scope": "read"}, headers=basic("web", SECRET))

    assert answer.status == 200


@pytest.mark.spec("RFC 8628", "3.1")
@pytest.mark.parametrize(
    ("scope", "error"),
    [(None, "invalid_scope"), ("read admin", "invalid_scope"), ("read nonsense", "invalid_scope")],
)
@ANY_STORE
async def test_a_scope_is_required_and_must_be_the_clients(world: World, scope: str | None, error: str) -> None:
    await world.change_client("spa", grant_types=DEVICE_GRANTS)

    answer = await ask_device(world, scope=scope)

    assert (answer.status, answer.error) == (400, error)


@ANY_STORE
async def test_a_client_without_refresh_tokens_gets_none_by_a_device(world: World) -> None:
    asked = await device(world, "no-refresh", scope="openid offline_access")
    await asked.allow()
    answer = await asked.poll()

    assert answer.json["scope"] == "openid"
    assert "refresh_token" not in answer.json


@ANY_STORE
async def test_a_server_that_keeps_no_devices_refuses_them_in_words(world: World) -> None:
    await world.change_client("spa", grant_types=DEVICE_GRANTS)
    world.server = replace(world.server, devices=None)
    answer = await ask_device(world)

    assert (answer.status, answer.error) == (400, "unauthorized_client")
    assert answer.json["error_description"] == "there is no device authorization here"


@ANY_STORE
async def test_a_device_is_let_in_by_nobody_whose_id_is_no_text(world: World) -> None:
    asked = await device(world)

    with pytest.raises(ValueError, match="subject must be a str, not an int"):
        await asked.allow(subject=7)
    assert (await asked.poll()).error == "authorization_pending"


@pytest.mark.spec("RFC 6749", "5.2")
@ANY_STORE
async def test_a_server_that_keeps_no_devices_has_not_their_grant(world: World) -> None:
    await world.change_client("spa", grant_types=DEVICE_GRANTS)
    world.server = replace(world.server, devices=None)
    answer = await world.token({"client_id": "spa", "grant_type": DEVICE_CODE, "device_code": "erd_x"})

    assert (answer.status, answer.error) == (400, "unsupported_grant_type")


@pytest.mark.spec("RFC 6749", "5.2")
@ANY_STORE
async def test_a_client_that_has_not_this_grant_is_refused(world: World) -> None:
    answer = await ask_device(world, "partner")

    assert (answer.status, answer.error) == (400, "unauthorized_client")


@ANY_STORE
async def test_a_client_of_pairwise_subjects_needs_a_server_that_makes_them(world: World) -> None:
    await world.change_client(
        "spa", grant_types=DEVICE_GRANTS, subject_type=SubjectType.PAIRWISE, sector_identifier="tv.example"
    )
    with_salt = await ask_device(world)
    world.server = replace(world.server, pairwise_salt=lambda: b"")

    assert with_salt.status == 200
    assert (await ask_device(world)).error == "unauthorized_client"


@ANY_STORE
async def test_a_user_code_that_is_taken_is_made_anew(world: World) -> None:
    await world.change_client("spa", grant_types=DEVICE_GRANTS)

    assert (await ask_device(crowded(world, taken=7))).status == 200


@ANY_STORE
async def test_where_no_user_code_is_free_the_device_is_to_come_again(world: World) -> None:
    await world.change_client("spa", grant_types=DEVICE_GRANTS)
    answer = await ask_device(crowded(world, taken=8))

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


class Crowded(MeddledStore):
    """A store in which the first user codes are taken."""

    taken = 0

    async def create_device_authorization(self, device: DeviceAuthorization) -> bool:
        self.taken -= 1
        return self.taken < 0 and await self._store.create_device_authorization(device)


def crowded(world: World, *, taken: int) -> World:
    store = Crowded(world.store, "", nothing, after=False, call=0)
    store.taken = taken
    return on_store(world, store)


@pytest.mark.spec("RFC 8628", "4")
@ANY_STORE
async def test_the_metadata_names_the_endpoint_where_the_grant_is_offered(world: World) -> None:
    offered = metadata(world.server)
    grants = {name: grant for name, grant in world.server.grants.items() if name != DEVICE_CODE}
    other = metadata(replace(world.server, grants=grants))

    assert offered["device_authorization_endpoint"] == "https://id.example/oauth2/device_authorization"
    assert DEVICE_CODE in offered["grant_types_supported"]  # type: ignore[operator]
    assert "device_authorization_endpoint" not in other
    assert DEVICE_CODE not in other["grant_types_supported"]  # type: ignore[operator]


# User codes


@pytest.mark.spec("RFC 8628", "6.1")
def test_user_codes_are_eight_letters_without_vowels_and_look_alikes() -> None:
    codes = {new_user_code() for _ in range(500)}

    assert len(codes) == 500
    assert all(len(code) == 8 and set(code) <= set("BCDFGHJKLMNPQRSTVWXZ") for code in codes)
    assert set("".join(codes)) == set("BCDFGHJKLMNPQRSTVWXZ")


@pytest.mark.spec("RFC 8628", "6.1")
@pytest.mark.parametrize(
    "typed", ["WDJB-MJHT", "wdjbmjht", " wdjb mjht ", "w-d-j-b-m-j-h-t", "WDJB\u2013MJHT.", "WDJB_MJHT", "0WDJBMJHT1"]
)
def test_a_user_code_is_read_however_it_is_typed(typed: str) -> None:
    assert read_user_code(typed) == "WDJBMJHT"
    assert shown_user_code("WDJBMJHT") == "WDJB-MJHT"


@pytest.mark.parametrize(
    "typed", ["", "WDJB-MJH", "WDJB-MJHTT", "AEIO-UAEI", "x" * 101, "\x00", "12345678", "ẞẞẞẞẞẞẞẞ"]
)
def test_what_is_no_user_code_is_none(typed: str) -> None:
    assert read_user_code(typed) is None


# What stands behind one


@pytest.mark.spec("RFC 8628", "3.3")
async def test_behind_a_user_code_stand_the_client_and_what_it_asks(world: World) -> None:
    asked = await device(world, scope="openid read")
    found = await find_device_authorization(asked.user_code.lower().replace("-", " "), world.server)

    assert found is not None
    assert found.client.client_id == "spa"
    assert found.user_code == asked.user_code
    assert found.authorization.scope == ("openid", "read")
    assert found.authorization.address == "192.0.2.1"
    assert asked.user_code.replace("-", "") not in repr(found)


async def test_nothing_stands_behind_a_code_that_was_never_made(world: World) -> None:
    assert await find_device_authorization("BBBB-BBBB", world.server) is None


@ANY_STORE
async def test_what_is_no_user_code_is_not_looked_up(world: World) -> None:
    watched = meddled(world, "", nothing)

    assert await find_device_authorization("nonsense", watched.server) is None
    assert calls_of(watched) == []


@pytest.mark.parametrize("said", ["yes", "no"])
async def test_nothing_stands_behind_a_code_that_was_answered(world: World, said: str) -> None:
    asked = await device(world)
    await (asked.allow() if said == "yes" else asked.deny())

    assert await find_device_authorization(asked.user_code, world.server) is None


@pytest.mark.parametrize("gone", ["disabled", "deleted", "grant"])
async def test_nothing_stands_behind_the_code_of_a_client_that_may_not_have_it_any_more(
    world: World, gone: str
) -> None:
    asked = await device(world)
    if gone == "deleted":
        await world.delete_client("spa")
    else:
        await world.change_client(
            "spa", **({"disabled_at": 1} if gone == "disabled" else {"grant_types": (CLIENT_CREDENTIALS,)})
        )

    assert await find_device_authorization(asked.user_code, world.server) is None


async def test_of_two_answers_to_one_code_the_first_counts(world: World) -> None:
    asked = await device(world)
    twice = await asked.asking(), await asked.asking()

    assert await refuse_device_authorization(twice[0], "ada", world.server)
    assert not await complete_device_authorization(twice[1], world.authentication(), world.server)
    assert (await asked.poll()).error == "access_denied"
