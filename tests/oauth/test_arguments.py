"""What the library's values and functions are made of is checked when they are made, and told in words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import partial, wraps
from typing import Any
from unittest.mock import AsyncMock

import pytest

import everbearer as eb
from everbearer.oauth.arguments import check_arguments, check_fields, field_problems
from everbearer.storage.memory import MemoryStore

KEY = eb.generate_signing_key("ES256")
KEYS = eb.key_set(KEY)
SECRET = b"32 bytes that are random elsewhere"
WHOLE: dict[str, Any] = {
    "issuer": "https://id.example.com",
    "store": MemoryStore(),
    "sealer": eb.Sealer([SECRET]),
    "keys": lambda: KEYS,
    "grants": eb.GRANTS,
}
SERVER = eb.AuthorizationServer(**WHOLE)
untyped: Any = eb
"""The library as those see it who have no type checker."""


async def claims_of(subject: str) -> dict[str, object]:  # noqa: ARG001 - the shape of `claims`
    return {}


async def claims_of_two(subject: str, scope: str) -> dict[str, object]:  # noqa: ARG001
    return {}


def claims_at_once(subject: str) -> dict[str, object]:  # noqa: ARG001
    return {}


def claims_without_annotation(subject):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201, ARG001
    return {}


def claims_later(subject: str) -> Awaitable[dict[str, object]]:
    return claims_of(subject)


@wraps(claims_of)
def claims_wrapped(subject: str) -> Any:
    return claims_of(subject)


async def claims_one_by_one(subject: str) -> AsyncGenerator[str]:
    yield subject


async def jwks_at(uri: str, *, anew: bool) -> str:  # noqa: ARG001 - the shape of `jwks`
    return ""


async def jwks_without_anew(uri: str) -> str:
    return uri


class Claims:
    """Claims, by an object that is called."""

    async def __call__(self, subject: str) -> dict[str, object]:
        return {"sub": subject}


def counted(function: Any) -> Any:
    def counting(*args, **named):  # type: ignore[no-untyped-def] # noqa: ANN002, ANN003, ANN202 - as people write it
        return function(*args, **named)

    return counting


@pytest.mark.parametrize(
    "claims",
    [
        claims_of,
        claims_later,
        claims_wrapped,
        partial(claims_of_two, scope="openid"),
        Claims(),
        AsyncMock(return_value={}),
        counted(claims_of),
        lambda subject: claims_of(subject),  # noqa: PLW0108 - as people write it
    ],
)
def test_whatever_can_be_awaited_will_do(claims: Any) -> None:
    assert replace(SERVER, claims=claims).claims is claims


def test_what_is_not_written_in_python_is_taken_at_its_word() -> None:
    heard: list[eb.Event] = []

    assert replace(SERVER, notify=heard.append).notify == heard.append


@pytest.mark.parametrize(
    ("different", "problem"),
    [
        ({"issuer": None}, "issuer must be a str, not None: write the URL that clients know"),
        ({"store": MemoryStore}, r"store must be a Store, not the class MemoryStore: write MemoryStore\(\.\.\.\)"),
        ({"store": None}, "store must be a Store, not None"),
        ({"store": {}}, "store must be a Store, not a dict, which has no async .*spend.* allows_origin"),
        ({"devices": {}}, "devices must be a DeviceStore or None, not a dict, which has no async create_device_auth"),
        ({"sealer": SECRET}, r"sealer must be a Sealer, not bytes: write Sealer\(\[secret\]\)"),
        ({"keys": KEYS}, "keys must be a function without arguments, not a KeySet: write keys=lambda: keys"),
        ({"keys": lambda server: server}, "keys must be .*, not one that takes other arguments"),
        ({"grants": ["authorization_code"]}, "grants must be a mapping of .*, not a list: write grants=GRANTS"),
        ({"grants": {"password": "check"}}, "grants must be .*, not one with a str at 'password'"),
        ({"scopes": ["read"]}, "scopes must be a mapping of str to str, not a list: write {"),
        ({"scopes": {1: "Read"}}, "scopes must be .*, not one with an int among its keys"),
        ({"resources": ["https://a.example"]}, "resources must be a mapping of str to Resource, not a list"),
        ({"claims": {"ada": {}}}, "claims must be an async function of 1 argument, not a dict$"),
        ({"claims": claims_at_once}, "claims must be an async function of 1 argument, not one that is not async"),
        ({"claims": claims_without_annotation}, "claims must be .*, not one that is not async"),
        ({"claims": claims_of_two}, "claims must be .*, not one that takes other arguments"),
        ({"claims": claims_one_by_one}, "claims must be .*, not an async generator"),
        ({"claims": Claims}, r"claims must be .*, not the class Claims: write Claims\(\.\.\.\)"),
        ({"jwks": jwks_without_anew}, "jwks must be an async function of 1 argument, not one that takes other arg"),
        ({"jwks": "{}"}, "jwks must be an async function of 1 argument, not a str"),
        ({"pairwise_salt": SECRET}, "pairwise_salt must be a function without arguments, not bytes: write pairwise_s"),
        ({"notify": claims_of}, "notify must be a function of 1 argument, not an async one"),
        ({"now": 1_800_000_000}, r"now must be a function without arguments, not an int: write now=lambda: \.\.\."),
        ({"logout_notices": "backchannel"}, "logout_notices must be a frozenset of LogoutNotice, not a str"),
        ({"logout_notices": {"smoke"}}, "not one with a str in it: write LogoutNotice.BACK_CHANNEL"),
        ({"claims_of_scope": {"plan": "plan"}}, "claims_of_scope must be .*, not one with a str at 'plan'"),
        ({"acr_values": "urn:x"}, r'acr_values must be a tuple of str, not a str: write acr_values=\("\.\.\.",\)'),
        ({"polling_interval": timedelta(seconds=5)}, r"write polling_interval=int\(delta.total_seconds\(\)\)"),
        ({"polling_interval": 5.5}, "polling_interval must be an int, not a float: write a whole number"),
        ({"polling_interval": True}, "polling_interval must be an int, not a bool"),
        ({"profile": "strict"}, "profile must be a Profile, not a str: write STRICT or another Profile"),
        ({"hooks": claims_of}, "hooks must be an IssuanceHooks or None, not a function"),
        ({"hears": "signed_in"}, "hears must be a collection of EventKind, not a str"),
        ({"hears": None}, "hears must be a collection of EventKind, not None"),
    ],
)
def test_a_server_tells_what_of_it_is_of_another_type_and_what_to_write(
    different: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=f"^{problem}" if "must be" in problem else problem):
        eb.AuthorizationServer(**(WHOLE | different))


@pytest.mark.parametrize(
    ("different", "problem"),
    [
        ({"client_id": 7}, "client_id must be a str, not an int"),
        ({"client_name": None}, "client_name must be a str, not None"),
        ({"client_name": b"App"}, "client_name must be a str, not bytes: decode it"),
        (
            {"redirect_uris": {"https://a.example"}},
            "redirect_uris must be a tuple of str, not a set: write redirect_u",
        ),
        (
            {"redirect_uris": (b"https://a.example",)},
            "redirect_uris must be a tuple of str, not one with bytes in it: decode it",
        ),
        ({"scope": None}, "scope must be a tuple of str, not None"),
        ({"token_endpoint_auth_method": "basic"}, "must be an AuthMethod or None, not a str: write AuthMethod.BASIC"),
        ({"subject_type": "sector"}, "must be a SubjectType, not a str: write SubjectType.PUBLIC or another of it"),
        ({"claims": {"plan": "plan"}}, "claims must be a mapping of str to tuple of str, not one with a str at 'pl"),
        ({"first_party": "yes"}, "first_party must be True or False, not a str"),
        ({"lifetimes": {"access_token": 60}}, "lifetimes must be a Lifetimes, not a dict"),
        ({"lifetimes": eb.Lifetimes}, r"lifetimes must be a Lifetimes, not the class Lifetimes: write Lifetimes\(\.\."),
        ({"disabled_at": datetime(2026, 1, 1)}, "disabled_at must be an int or None, not a datetime"),  # noqa: DTZ001
        ({"jwks": {"keys": []}}, "jwks must be a str, not a dict"),
    ],
)
def test_a_client_tells_it_too(different: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        eb.Client(**({"client_id": "app"} | different))


def test_a_list_a_set_and_the_texts_of_metadata_are_taken_for_what_they_mean() -> None:
    client = untyped.Client(
        client_id="app",
        redirect_uris=["https://app.example/cb"],
        token_endpoint_auth_method="none",
        scope=["openid", "read"],
        claims={"profile": ["plan"]},
    )
    server = replace(SERVER, logout_notices={"backchannel"})  # type: ignore[arg-type] # as people write it

    assert client == eb.Client(
        client_id="app",
        redirect_uris=("https://app.example/cb",),
        token_endpoint_auth_method=eb.AuthMethod.NONE,
        scope=("openid", "read"),
        claims={"profile": ("plan",)},
    )
    assert client.token_endpoint_auth_method is eb.AuthMethod.NONE
    assert isinstance(client.redirect_uris, tuple)
    assert server.logout_notices == frozenset({eb.LogoutNotice.BACK_CHANNEL})


class Colour(Enum):
    """For annotations that none of our names has."""

    RED = 1


@dataclass(frozen=True)
class Painted:
    """A value that may be of more than one type."""

    colours: tuple[Colour, ...] | Colour


@pytest.mark.parametrize(
    ("given", "kept"), [(Colour.RED, Colour.RED), ([1], (Colour.RED,)), ((Colour.RED,), (Colour.RED,))]
)
def test_what_may_be_one_or_several_stays_what_it_is(given: Any, kept: Any) -> None:
    painted = Painted(given)
    check_fields(painted)

    assert painted.colours == kept


def test_of_what_was_given_nothing_is_told_but_its_type() -> None:
    with pytest.raises(ValueError, match="secrets must be") as told:
        untyped.Client(client_id="app", secrets="correct horse battery staple")

    assert "horse" not in str(told.value)


def annotated(anything: Any, pairs: Iterable[str], whatever: Callable[..., int], colour: Colour) -> None: ...


def test_annotations_that_say_little_let_all_in_that_fits() -> None:
    check_arguments(annotated, anything=None, pairs=iter("ab"), whatever=len, colour=Colour.RED)

    with pytest.raises(
        ValueError,
        match=r"^whatever must be a function, not a str; colour must be a Colour, not an int: write Colour\.RED or ano",
    ):
        check_arguments(annotated, whatever="len", colour=2)


def test_a_value_as_it_should_be_has_no_problems() -> None:
    assert list(field_problems(SERVER)) == []
