"""Races for real: many requests at the same instant to several worker processes on one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from everbearer.oauth.client import Client
from everbearer.oauth.messages import Request
from everbearer.oauth.models import EndReason
from heart.heart_world import ROTATING_WEB, SPA, STRICT, posted, redeem_request, refresh_request
from heart.serving import Place

WORKERS = 3
CROWD = 100
GENERATION = 5
ROUNDS = 5


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(folder=tmp_path_factory.mktemp("races"))
    with place.serving(workers=WORKERS):
        yield place


@pytest.fixture(params=range(ROUNDS))
def each_round() -> None:
    """Run a test once a round."""


def userinfo_request(access_token: str) -> Request:
    return Request(method="GET", path="/oauth2/userinfo", headers={"authorization": f"Bearer {access_token}"})


@pytest.mark.rt("RT-23", "RT-24", "RT-60", "RT-62")
@pytest.mark.parametrize("client", [SPA, ROTATING_WEB], ids=lambda client: client.client_id)
@pytest.mark.usefixtures("each_round")
def test_a_hundred_refreshes_of_one_token_give_one_successor(place: Place, client: Client) -> None:
    grant = place.put_grant(client, generation=GENERATION)
    request = refresh_request(client, place.token(grant, GENERATION))
    answers = place.ask_at_once([request] * CROWD)

    assert [answer.status for answer in answers] == [200] * CROWD
    assert {answer.refresh_token for answer in answers} == {place.token(grant, GENERATION + 1)}
    assert len({answer.access_token for answer in answers}) == CROWD
    following = place.ask(refresh_request(client, answers[0].refresh_token))
    assert following.refresh_token == place.token(grant, GENERATION + 2)


@pytest.mark.rt("RT-29", "RT-60", "RT-62")
@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.usefixtures("each_round")
def test_under_the_strict_policy_one_of_a_hundred_is_answered_and_the_grant_ends(place: Place) -> None:
    grant = place.put_grant(STRICT, generation=GENERATION)
    request = refresh_request(STRICT, place.token(grant, GENERATION))
    answers = place.ask_at_once([request] * CROWD)
    (winner,) = [answer for answer in answers if answer.ok]

    assert {answer.reason for answer in answers if not answer.ok} == {EndReason.REUSED}
    assert place.ask(refresh_request(STRICT, winner.refresh_token)).reason == EndReason.REUSED
    assert place.ask(userinfo_request(winner.access_token)).status == 401


@pytest.mark.rt("RT-57", "RT-62")
@pytest.mark.spec("RFC 6749", "4.1.2")
@pytest.mark.usefixtures("each_round")
def test_of_many_redemptions_of_one_code_one_is_answered_and_the_grant_ends(place: Place) -> None:
    grant = place.put_grant(SPA)
    answers = place.ask_at_once([redeem_request(SPA, place.code(grant))] * 40)
    (winner,) = [answer for answer in answers if answer.ok]

    assert {answer.error for answer in answers if not answer.ok} == {"invalid_grant"}
    assert place.ask(refresh_request(SPA, winner.refresh_token)).reason == EndReason.CODE_REPLAYED
    assert place.ask(userinfo_request(winner.access_token)).status == 401


@pytest.mark.rt("RT-50", "RT-58", "RT-62")
@pytest.mark.usefixtures("each_round")
def test_a_grant_revoked_amid_refreshes_never_lives_again(place: Place) -> None:
    grant = place.put_grant(SPA, generation=GENERATION)
    token = place.token(grant, GENERATION)
    refreshing = [refresh_request(SPA, token)] * 10
    answers = place.ask_at_once([*refreshing, posted("/oauth2/revoke", {"token": token}), *refreshing])
    successor = place.token(grant, GENERATION + 1)

    assert answers[10].ok
    assert {answer.reason for answer in answers if not answer.ok} <= {EndReason.REVOKED_BY_CLIENT}
    for held in (token, successor):
        assert place.ask(refresh_request(SPA, held)).reason == EndReason.REVOKED_BY_CLIENT
    for answer in answers[:10]:
        assert not answer.ok or place.ask(userinfo_request(answer.access_token)).status == 401
