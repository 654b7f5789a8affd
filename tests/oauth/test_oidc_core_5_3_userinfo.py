"""OpenID Connect Core §5.3 and RFC 6750: userinfo, and bearer tokens as it takes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.authorization_server import no_claims
from everbearer.oauth.endpoints.userinfo import userinfo_endpoint
from everbearer.oauth.models import EndReason, Everything
from world import NOW, World, bearer


@pytest.mark.spec("OpenID Connect Core", "5.3.2", "5.4")
@pytest.mark.parametrize("client", ["partner", "opaque", "web"])
async def test_a_client_sees_the_claims_of_its_scope(world: World, client: str) -> None:
    answer = await world.userinfo((await world.sign_in(client, scope="openid email")).access_token)

    assert answer.status == 200
    assert answer.json == {"sub": "ada", "email": "ada@example.com", "email_verified": True}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_openid_alone_shows_the_subject_alone(world: World) -> None:
    answer = await world.userinfo((await world.sign_in("partner", scope="openid")).access_token)

    assert answer.json == {"sub": "ada"}


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_a_scope_narrowed_at_refresh_narrows_what_is_shown(world: World) -> None:
    token = await world.refresh_token("partner", scope="openid email profile offline_access")

    answer = await world.refresh(token, client="partner", scope="openid profile")

    assert (await world.userinfo(answer.access_token)).json == {"sub": "ada", "name": "Ada Lovelace"}


@pytest.mark.spec("OpenID Connect Core", "5.3")
@pytest.mark.parametrize("scope", ["openid offline_access", "offline_access", "read"])
async def test_the_operators_own_client_sees_all_whatever_its_scope(world: World, scope: str) -> None:
    answer = await world.userinfo((await world.sign_in("spa", scope=scope)).access_token)

    assert answer.json["email"] == "ada@example.com"
    assert answer.json["https://example.com/claims/plan"] == "gold"
    assert answer.json["sub"] == "ada"


@pytest.mark.spec("RFC 6750", "3.1")
async def test_another_client_needs_openid(world: World) -> None:
    answer = await world.userinfo((await world.sign_in("partner", scope="email")).access_token)

    assert (answer.status, answer.error) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


@pytest.mark.spec("OpenID Connect Core", "5.3.1")
@pytest.mark.spec("RFC 6750", "2.1", "2.2")
async def test_the_token_comes_in_the_header_by_get_or_post_or_in_a_form(world: World) -> None:
    token = (await world.sign_in()).access_token

    by_get = await world.userinfo(token)
    by_post = await world.userinfo(token, method="POST")
    in_form = await world.userinfo(None, method="POST", form={"access_token": token})
    other_case = await world.send(userinfo_endpoint, method="GET", headers={"authorization": f"bEARER  {token} "})

    assert [answer.status for answer in (by_get, by_post, in_form, other_case)] == [200] * 4


@pytest.mark.spec("RFC 6750", "2")
async def test_a_token_sent_in_two_ways_is_refused(world: World) -> None:
    token = (await world.sign_in()).access_token

    answer = await world.userinfo(token, method="POST", form={"access_token": token})

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 6750", "3.1")
@pytest.mark.parametrize("header", [{}, bearer(""), {"authorization": "Bearer"}, {"authorization": "Basic x"}])
async def test_without_a_token_the_challenge_has_no_error(world: World, header: dict[str, str]) -> None:
    answer = await world.send(userinfo_endpoint, method="GET", headers=header)

    assert (answer.status, answer.error) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == 'Bearer realm="userinfo"'


@pytest.mark.spec("RFC 6750", "3.1")
async def test_a_token_of_nobody_is_challenged(world: World) -> None:
    answer = await world.userinfo("made-up")

    assert (answer.status, answer.error) == (401, "invalid_token")
    assert 'Bearer realm="userinfo", error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.spec("RFC 6750", "3.1")
@pytest.mark.parametrize("client", ["spa", "opaque"])
async def test_an_expired_token_of_a_living_grant_only_needs_a_refresh(world: World, client: str) -> None:
    answer = await world.sign_in(client)
    world.clock.advance(1800)

    refused = await world.userinfo(answer.access_token)

    assert (refused.status, refused.error) == (401, "invalid_token")


@pytest.mark.spec("RFC 6750", "3.1")
@pytest.mark.parametrize("client", ["spa", "opaque"])
async def test_a_token_of_a_grant_that_ended_says_so_in_the_body_and_the_rfcs_word_in_the_header(
    world: World, client: str
) -> None:
    answer = await world.sign_in(client)
    await world.revoke(answer.refresh_token)

    refused = await world.userinfo(answer.access_token)

    assert (refused.status, refused.error) == (401, "invalid_grant")
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


@pytest.mark.rt("RT-54")
@pytest.mark.spec("OpenID Connect Core", "5.3.3")
async def test_a_user_who_is_gone_or_disabled_is_not_told_of(world: World) -> None:
    token = (await world.sign_in()).access_token
    world.people["ada"] = None

    answer = await world.userinfo(token)

    assert (answer.status, answer.error) == (401, "invalid_token")


@pytest.mark.rt("RT-56")
@pytest.mark.spec("RFC 6750", "3.1")
@pytest.mark.parametrize("ended_before", [False, True])
async def test_a_token_of_a_client_that_is_gone_is_refused(world: World, ended_before: bool) -> None:
    answer = await world.sign_in()
    if ended_before:
        await world.revoke(answer.refresh_token)

    await world.delete_client("spa")

    assert (await world.userinfo(answer.access_token)).error == "invalid_grant"


@pytest.mark.spec("OpenID Connect Core", "5.3.2")
async def test_no_claim_stands_in_for_the_subject(world: World) -> None:
    world.people["ada"] = {"sub": "eve", "email": "ada@example.com"}

    answer = await world.userinfo((await world.sign_in()).access_token)

    assert answer.json["sub"] == "ada"


@pytest.mark.spec("OpenID Connect Core", "16.11")
async def test_an_id_token_is_no_access_token(world: World) -> None:
    answer = await world.sign_in()

    assert (await world.userinfo(answer.json["id_token"])).error == "invalid_token"


@pytest.mark.spec("RFC 9068", "4")
async def test_a_token_of_another_issuer_with_the_same_keys_is_refused(world: World) -> None:
    answer = await world.sign_in()
    other = replace(world, server=replace(world.server, issuer="https://other.example"))

    assert (await other.userinfo(answer.access_token)).error == "invalid_token"


@pytest.mark.rt("RT-56")
@pytest.mark.spec("RFC 6750", "3.1")
async def test_a_disabled_clients_tokens_are_refused(world: World) -> None:
    answer = await world.sign_in()
    await world.change_client("spa", disabled_at=NOW)

    assert (await world.userinfo(answer.access_token)).status == 401


@pytest.mark.rt("RT-53", "RT-54")
@pytest.mark.spec("RFC 6750", "3.1")
@pytest.mark.parametrize("reason", [EndReason.PASSWORD_CHANGED, EndReason.USER_DISABLED])
async def test_tokens_from_before_all_of_a_users_grants_were_ended_are_refused(world: World, reason: EndReason) -> None:
    before = await world.sign_in()
    await world.end_all(Everything.USER, "ada", reason)
    after = await world.sign_in()

    assert (await world.userinfo(before.access_token)).error == "invalid_grant"
    assert (await world.userinfo(after.access_token)).status == 200


@pytest.mark.spec("OpenID Connect Core", "5.3")
async def test_a_server_that_knows_no_claims_tells_the_subject(world: World) -> None:
    plain = replace(world, server=replace(world.server, claims=no_claims))

    answer = await plain.userinfo((await plain.sign_in()).access_token)

    assert answer.json == {"sub": "ada"}
