"""A server killed with SIGKILL at every step around a spend: no answered token is lost, and no spent one lives."""

from __future__ import annotations

import signal

import pytest

from everbearer.oauth.messages import Request
from everbearer.oauth.models import EndReason
from heart.heart_world import ROTATING_WEB, SPA, redeem_request, refresh_request
from heart.killing_process import AFTER, STEPS
from heart.serving import Place

GENERATION = 3


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place whose database is there, with keys and clients."""
    place = Place(folder=tmp_path_factory.mktemp("kills"))
    with place.serving():
        return place


def killed(place: Place, request: Request, *, verb: str, step: str) -> None:
    """Have a server die at a step of a verb, under a request."""
    with place.serving(dies={"HEART_KILL_VERB": verb, "HEART_KILL_AT": step}) as server:
        with pytest.raises(ConnectionError):
            place.ask(request)
        server.process.wait(60)

    assert server.process.returncode == -signal.SIGKILL


@pytest.mark.rt("RT-63", "RT-65")
def test_a_server_killed_around_the_spend_strands_nobody_and_forgets_no_reuse(place: Place) -> None:
    grants = {step: place.put_grant(SPA, generation=GENERATION) for step in STEPS}
    held = {step: place.token(grant, GENERATION) for step, grant in grants.items()}
    for step in STEPS:
        killed(place, refresh_request(SPA, held[step]), verb="spend", step=step)
    spent = [step for step, grant in grants.items() if place.grant(grant).generation == GENERATION + 1]

    with place.serving():
        again = {step: place.ask(refresh_request(SPA, token)) for step, token in held.items()}
        successors = {step: place.token(grant, GENERATION + 1) for step, grant in grants.items()}
        assert {step: answer.refresh_token for step, answer in again.items()} == successors
        following = [place.ask(refresh_request(SPA, token)) for token in successors.values()]
        assert all(answer.ok for answer in following)
    with place.serving():
        replayed = [place.ask(refresh_request(SPA, token)) for token in held.values()]
        dead = [place.ask(refresh_request(SPA, answer.refresh_token)) for answer in following]

    assert spent == [AFTER]
    assert {answer.reason for answer in (*replayed, *dead)} == {EndReason.REUSED}


@pytest.mark.rt("RT-63")
def test_an_authenticated_client_gets_its_lost_answer_from_the_next_server(place: Place) -> None:
    grant = place.put_grant(ROTATING_WEB, generation=GENERATION)
    request = refresh_request(ROTATING_WEB, place.token(grant, GENERATION))
    killed(place, request, verb="spend", step=AFTER)

    with place.serving():
        again = place.ask(request)

    assert again.refresh_token == place.token(grant, GENERATION + 1)


@pytest.mark.rt("RT-65")
def test_a_server_killed_as_it_ends_a_stolen_grant_ends_it_at_the_next_sight(place: Place) -> None:
    grants = {step: place.put_grant(SPA, generation=GENERATION) for step in STEPS}
    stolen = {step: place.token(grant, GENERATION - 2) for step, grant in grants.items()}
    for step, token in stolen.items():
        killed(place, refresh_request(SPA, token), verb="end_grant", step=step)
    ended = [step for step, grant in grants.items() if place.grant(grant).ended is not None]

    with place.serving():
        answers = [place.ask(refresh_request(SPA, token)) for token in stolen.values()]
        victims = [place.ask(refresh_request(SPA, place.token(grant, GENERATION))) for grant in grants.values()]

    assert ended == [AFTER]
    assert {answer.reason for answer in (*answers, *victims)} == {EndReason.REUSED}


@pytest.mark.rt("RT-57", "RT-63")
def test_a_code_whose_redemption_was_killed_is_redeemed_once_or_not_at_all(place: Place) -> None:
    grants = {step: place.put_grant(SPA) for step in STEPS}
    for step, grant in grants.items():
        killed(place, redeem_request(SPA, place.code(grant)), verb="spend", step=step)

    with place.serving():
        redeemed = {step: place.ask(redeem_request(SPA, place.code(grant))).ok for step, grant in grants.items()}
    ends = {step: place.grant(grant).ended for step, grant in grants.items()}

    assert redeemed == {step: step != AFTER for step in STEPS}
    assert [(step, end.reason) for step, end in ends.items() if end] == [(AFTER, EndReason.CODE_REPLAYED)]


@pytest.mark.rt("RT-63", "RT-65")
def test_what_was_answered_before_a_kill_is_good_after_it(place: Place) -> None:
    grants = [place.put_grant(SPA, generation=GENERATION) for _ in range(4)]
    held = [place.token(grant, GENERATION) for grant in grants]
    for _ in range(3):
        with place.serving() as server:
            for _ in range(5):
                answers = place.ask_at_once([refresh_request(SPA, token) for token in held])
                held = [answer.refresh_token for answer in answers]
            server.process.kill()
            server.process.wait(60)

    assert [place.grant(grant).generation for grant in grants] == [GENERATION + 15] * 4
    assert held == [place.token(grant, GENERATION + 15) for grant in grants]
