"""What the simulation plays as ours is what the server does: the same requests, the same answers."""

from __future__ import annotations

import pytest

from everbearer.oauth.client import RotationPolicy
from everbearer.simulation.ours import OURS, our_policy
from everbearer.simulation.play import Play, chance
from everbearer.simulation.policy import FIRST, REFUSED
from world import ANY_STORE, World

POLICIES = (
    RotationPolicy(),
    RotationPolicy(retry_window=0),
    RotationPolicy(retry_window=10),
    RotationPolicy(retry_window=60, late_limit=2),
    RotationPolicy(late_limit=1, late_after=2),
    RotationPolicy(late_limit=None, retry_limit=2),
    RotationPolicy(arrival_after=0),
)


@ANY_STORE
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("policy", POLICIES)
async def test_the_simulated_rule_answers_as_the_server_does(world: World, policy: RotationPolicy, seed: int) -> None:
    random = chance(Play(seed=seed), "requests", 1)
    await world.change_client("spa", rotation=policy)
    family = our_policy("simulated", policy).start()
    tokens = {FIRST: await world.refresh_token()}
    access_tokens: dict[int, str] = {}
    simulated: list[int] = []
    served: list[int] = []
    for _ in range(40):
        world.clock.advance(random.choice((0, 1, 5, 15, 100, 1500)))
        newest = max(tokens)
        token = random.choices((newest, newest - 1, newest - 2), (5, 5, 0.3))[0]
        if token not in tokens:
            continue
        key = random.choice(("", "", "a key", "another"))
        seen = newest in access_tokens and random.random() < 0.2
        if seen and await world.active(access_tokens[newest]):
            family.seen(newest, world.clock.now)
        answer = await world.refresh(tokens[token], headers={"idempotency-key": key} if key else {})
        simulated.append(family.refresh(token, world.clock.now, key))
        served.append(world.generation(answer.refresh_token) if answer.status == 200 else REFUSED)
        if answer.status == 200:
            tokens[served[-1]], access_tokens[served[-1]] = answer.refresh_token, answer.access_token

    assert simulated == served
    assert family.ended == (await world.end_reason(tokens[FIRST]) is not None)


def test_the_policy_called_default_is_the_default() -> None:
    default = next(each for each in OURS if each.name == "ours, default")
    family = default.start()

    assert getattr(family, "policy") == RotationPolicy(rotate=True)  # noqa: B009 - of one kind of family only
