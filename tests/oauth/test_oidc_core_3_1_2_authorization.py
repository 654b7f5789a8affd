"""OpenID Connect Core §3.1.2 and RFC 6749 §4.1.1: the authorization request, checked, and its response."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from everbearer.oauth.authorization.endpoint import AuthorizationRefused, refuse_authorization
from everbearer.oauth.errors import AccessDenied
from everbearer.oauth.events import EventKind
from everbearer.oauth.models import Authentication, EndReason, Everything
from everbearer.oauth.scope import Scope
from everbearer.oauth.users.subjects import NamedSubject
from world import ANY_STORE, World, answer_of, claims_of

pytestmark = ANY_STORE


async def _refused_page(world: World, client: str = "spa", **changes: Any) -> AuthorizationRefused:
    """Return the refusal of a request that must not be answered by redirecting."""
    with pytest.raises(AuthorizationRefused) as refused:
        await world.ask(client, **changes)
    assert refused.value.response is None
    return refused.value


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1", "3.1.2.5")
async def test_a_request_is_answered_with_a_code_and_its_state(world: World) -> None:
    answer = await world.authorization_response(state="a state & more")

    assert answer.status == 303
    assert answer.headers["location"].startswith("https://spa.example/cb?")
    assert answer.members.keys() == {"code", "state", "iss"}
    assert answer.members["state"] == "a state & more"


@pytest.mark.spec("RFC 6749", "4.1.2", "10.5")
async def test_nobody_may_store_a_response_with_a_code(world: World) -> None:
    answer = await world.authorization_response()

    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_what_the_application_needs_to_sign_the_user_in_is_read(world: World) -> None:
    hint = (await world.sign_in()).json["id_token"]

    request = await world.ask(
        scope="openid+offline_access profile",
        prompt="login consent",
        max_age="0",
        login_hint="ada@example.com",
        id_token_hint=hint,
        ui_locales="fr-CA en",
        acr_values="a b",
        nonce="n-1",
        approval_prompt="auto",
        x_sso_enabled="false",
    )

    assert request.scope == ("openid", "offline_access", "profile")
    assert request.offline
    assert request.prompt == {"login", "consent"}
    assert (request.max_age, request.login_hint) == (0, "ada@example.com")
    assert request.named == (NamedSubject(subject="ada", client=request.client),)
    assert (request.ui_locales, request.acr_values, request.nonce) == (("fr-CA", "en"), ("a", "b"), "n-1")
    assert request.parameters["x_sso_enabled"] == "false"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_what_is_left_out_has_plain_defaults(world: World) -> None:
    request = await world.ask(scope="read")

    assert not request.offline
    assert request.prompt == set()
    assert (request.max_age, request.named, request.state, request.nonce) == (None, (), "", "")


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
async def test_a_client_has_its_defaults_where_its_request_does_not_say(world: World) -> None:
    await world.change_client("spa", default_max_age=600, default_acr_values=("gold", "silver"))

    silent, says = await world.ask(), await world.ask(max_age="0", acr_values="bronze")

    assert (silent.max_age, silent.acr_values) == (600, ("gold", "silver"))
    assert (says.max_age, says.acr_values) == (0, ("bronze",))


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize("required", [True, False])
async def test_auth_time_stands_in_id_tokens_whether_or_not_a_client_requires_it(world: World, required: bool) -> None:
    await world.change_client("spa", require_auth_time=required)

    assert claims_of((await world.sign_in()).json["id_token"])["auth_time"] == world.clock.now


@pytest.mark.spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "nobody"},
        {"redirect_uri": "https://elsewhere.example/cb"},
        {"redirect_uri": "https://spa.example/cb/"},
        {"redirect_uri": "https://spa.example/cb?x=1"},
        {"redirect_uri": "https://spa.example/cb#f"},
        {"redirect_uri": "https://SPA.example/cb"},
        {"redirect_uri": "https://spa.example:443/cb"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "https://id.example/settings"},
        {"redirect_uri": None},
    ],
    ids=str,
)
async def test_with_the_client_or_its_redirect_uri_in_doubt_nobody_is_redirected(
    world: World, changes: dict[str, Any]
) -> None:
    refused = await _refused_page(world, **changes)

    assert refused.error.error == "invalid_request"


@pytest.mark.rt("RT-56")
@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_a_disabled_client_is_as_good_as_unknown(world: World) -> None:
    await world.change_client("spa", disabled_at=world.clock.now)

    assert (await _refused_page(world)).error.error == "invalid_request"


@pytest.mark.spec("RFC 6749", "3.1.2.3")
async def test_without_openid_the_only_redirect_uri_may_be_left_out(world: World) -> None:
    answer = await world.authorization_response(scope="read", redirect_uri=None)

    assert answer.headers["location"].startswith("https://spa.example/cb?code=")


@pytest.mark.spec("RFC 6749", "3.1.2.3")
@pytest.mark.parametrize("uris", [(), ("https://spa.example/cb", "https://spa.example/other")])
async def test_without_exactly_one_redirect_uri_it_must_be_sent(world: World, uris: tuple[str, ...]) -> None:
    await world.change_client("spa", redirect_uris=uris)

    assert (await _refused_page(world, scope="read", redirect_uri=None)).error.error == "invalid_request"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.2", "3.1.2.6")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "email unheard_of"}, "invalid_scope"),
        ({"scope": "openid phone"}, "invalid_scope"),
        ({"scope": "openid,offline_access"}, "invalid_scope"),
        ({"scope": "phone"}, "invalid_scope"),
        ({"scope": 'o"penid'}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "never"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "\u0661"}, "invalid_request"),
        ({"max_age": "9" * 11}, "invalid_request"),
        ({"id_token_hint": "e30.e30.x"}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://spa.example/request"}, "request_uri_not_supported"),
        ({"request": "e30.e30.", "request_uri": "https://spa.example/request"}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"response_mode": "web_message"}, "invalid_request"),
    ],
    ids=str,
)
async def test_any_other_fault_is_told_to_the_client(world: World, changes: dict[str, Any], error: str) -> None:
    answer = await world.authorization_response(state="s", **changes)

    assert answer.status == 303
    assert answer.members["error"] == error
    assert answer.members["state"] == "s"
    assert answer.members["error_description"]


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.spec("RFC 6749", "3.3", "5.1")
async def test_scope_values_of_an_openid_request_that_are_not_understood_are_ignored_and_the_answer_says_so(
    world: World,
) -> None:
    answer = await world.sign_in(scope="openid unheard_of email")

    assert answer.json["scope"] == "openid email"


@pytest.mark.spec("OpenID Connect Core", "11")
@pytest.mark.spec("RFC 6749", "3.3", "5.1")
@pytest.mark.parametrize("allowed", [("openid", "offline_access"), ("openid",)])
async def test_offline_access_is_ignored_of_a_client_that_has_no_refresh_tokens_and_the_answer_says_so(
    world: World, allowed: Scope
) -> None:
    await world.change_client("spa", grant_types=("authorization_code",), scope=allowed)

    answer = await world.sign_in(scope="openid offline_access")

    assert answer.json["scope"] == "openid"
    assert "refresh_token" not in answer.json


@pytest.mark.spec("RFC 6749", "3.3")
async def test_a_client_that_has_refresh_tokens_and_may_not_ask_for_them_is_told(world: World) -> None:
    await world.change_client("spa", scope=("openid",))

    answer = await world.authorization_response(scope="openid offline_access")

    assert answer.members["error"] == "invalid_scope"


@pytest.mark.spec("RFC 6749", "3.3")
async def test_a_comma_between_scopes_is_hinted_at(world: World) -> None:
    answer = await world.authorization_response(scope="openid,offline_access")

    assert "not commas" in answer.members["error_description"]


@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_a_client_without_the_code_grant_is_unauthorized(world: World) -> None:
    answer = await world.authorization_response("only-refresh")

    assert answer.members["error"] == "unauthorized_client"


@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_the_user_may_say_no(world: World) -> None:
    request = await world.ask(state="s")

    answer = answer_of(refuse_authorization(request, AccessDenied("the user said no"), world.server))

    assert answer.members == {
        "error": "access_denied",
        "error_description": "the user said no",
        "state": "s",
        "iss": "https://id.example",
    }


@pytest.mark.spec("OAuth 2.0 Multiple Response Types", "2.1")
@pytest.mark.parametrize(("mode", "separator"), [("query", "?"), ("fragment", "#")])
async def test_a_response_is_carried_by_query_or_fragment(world: World, mode: str, separator: str) -> None:
    answer = await world.authorization_response(response_mode=mode, state="s")

    assert answer.headers["location"].startswith(f"https://spa.example/cb{separator}code=")
    assert answer.members["state"] == "s"


@pytest.mark.spec("OAuth 2.0 Multiple Response Types", "5")
@pytest.mark.parametrize("response_type", ["token", "id_token", "code id_token"])
@pytest.mark.parametrize("mode", [None, "fragment", "query", "nonsense"])
async def test_a_response_type_with_tokens_is_never_answered_in_a_query(
    world: World, response_type: str, mode: str | None
) -> None:
    answer = await world.authorization_response(response_type=response_type, response_mode=mode)

    assert answer.headers["location"].startswith("https://spa.example/cb#error=")
    unusable = mode in ("query", "nonsense")
    assert answer.members["error"] == ("invalid_request" if unusable else "unsupported_response_type")


@pytest.mark.spec("RFC 6749", "3.1.2")
async def test_the_query_of_a_redirect_uri_is_kept(world: World) -> None:
    await world.change_client("spa", redirect_uris=("https://spa.example/cb?tenant=1",))

    answer = await world.authorization_response()

    assert answer.headers["location"].startswith("https://spa.example/cb?tenant=1&code=")


@pytest.mark.spec("OAuth 2.0 Form Post Response Mode", "2")
async def test_a_response_is_carried_by_a_form_that_posts_itself(world: World) -> None:
    answer = await world.authorization_response(response_mode="form_post", state='"><script>alert(1)</script>')

    assert answer.status == 200
    assert answer.members.keys() == {"code", "state", "iss"}
    assert answer.members["state"] == '"><script>alert(1)</script>'
    assert b"<script>alert" not in answer.body
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.spec("OAuth 2.0 Form Post Response Mode", "2")
@pytest.mark.parametrize(
    ("uri", "limit"),
    [
        ("https://spa.example/cb", []),
        ("http://[::1]:4711/cb", []),
        ("com.example.notes:/cb", ["form-action 'self' com.example.notes:"]),
    ],
)
async def test_the_form_may_lead_on_to_where_the_client_sends_the_user(
    world: World, uri: str, limit: list[str]
) -> None:
    await world.change_client("spa", redirect_uris=(uri,))

    answer = await world.authorization_response(response_mode="form_post")

    assert re.findall("form-action [^;]*", answer.headers["content-security-policy"]) == limit


@pytest.mark.spec("OAuth 2.0 Multiple Response Types", "4")
async def test_response_type_none_gives_nothing_but_the_way_back(world: World) -> None:
    answer = await world.authorization_response(response_type="none", state="s", code_challenge=None)

    assert answer.members.keys() == {"state", "iss"}
    assert await world.store.grants() == []


@pytest.mark.spec("OAuth 2.0 Multiple Response Types", "4")
async def test_response_type_none_may_lead_to_a_page_of_the_server_itself(world: World) -> None:
    answer = await world.authorization_response(response_type="none", redirect_uri="https://id.example/settings?l=en")

    assert answer.headers["location"] == "https://id.example/settings?l=en&iss=https%3A%2F%2Fid.example"


@pytest.mark.spec("RFC 9700", "4.1.3", "4.11")
@pytest.mark.parametrize(
    "uri",
    [
        "https://id.example@evil.example/",
        "https://evil.example\\@id.example/",
        "https://id.example\\evil",
        "https://id.example:444/settings",
        "http://id.example/settings",
        "https://id.example/settings\r\nX: y",
        "https://id.example/settings#x",
        "//id.example/settings",
        "https://[broken",
        "data:,x",
    ],
)
async def test_no_other_place_passes_for_a_page_of_the_server(world: World, uri: str) -> None:
    assert (await _refused_page(world, response_type="none", redirect_uri=uri)).error.error == "invalid_request"


@pytest.mark.spec("RFC 6749", "4.1.2")
async def test_a_grant_is_stored_with_who_gave_it_what_and_when(world: World) -> None:
    authentication = Authentication(subject="ada", auth_time=world.clock.now - 50, amr=("pwd",), session_id="b")

    code = await world.authorize(scope="openid read", authentication=authentication)

    grant = await world.grant(code)
    assert (grant.client_id, grant.subject, grant.scope, grant.offline) == ("spa", "ada", ("openid", "read"), False)
    assert grant.authentication == replace(authentication, user_epoch=0)
    event = (await world.store.events(grant_id=grant.grant_id))[0]
    assert (event.kind, event.actor, event.address, event.agent) == (
        EventKind.GRANT_CREATED,
        "user:ada",
        "192.0.2.1",
        "tests",
    )


@pytest.mark.spec("OpenID Connect Core", "3.1.3.7")
async def test_the_nonce_of_the_request_stands_in_the_id_token(world: World) -> None:
    answer = await world.sign_in(nonce="n-0S6_WzA2Mj")

    assert claims_of(answer.json["id_token"])["nonce"] == "n-0S6_WzA2Mj"


@pytest.mark.rt("RT-55")
@pytest.mark.spec("OpenID Connect Core", "11")
@pytest.mark.parametrize(
    ("everything", "key"),
    [(Everything.USER, "ada"), (Everything.CONSENT, "ada partner"), (Everything.CLIENT, "partner")],
)
async def test_a_grant_made_of_what_was_ended_in_between_is_dead(
    world: World, everything: Everything, key: str
) -> None:
    request = await world.ask("partner")
    authentication = Authentication(subject="ada", auth_time=world.clock.now, user_epoch=0)
    await world.end_all(everything, key, EndReason.REVOKED_BY_ADMIN)

    code = await world.finish(request, authentication, consent_epoch=0)

    assert (await world.redeem(code, client="partner")).error == "invalid_grant"


@pytest.mark.spec("RFC 6749", "10.12")
async def test_a_request_is_never_shown_with_its_secrets(world: World) -> None:
    request = await world.ask(state="secret-state", nonce="secret-nonce", login_hint="hint")

    assert "secret" not in repr(request)
    assert urlsplit(request.redirect_uri).hostname == "spa.example"
