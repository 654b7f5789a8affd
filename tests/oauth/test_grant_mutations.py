"""The tests of the other grants catch mistakes in them, as those of the heart do; see `test_mutations.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from oauth.test_mutations import Mutation, assert_noticed

POLLING = "tests/oauth/test_rfc8628_polling.py"
DEVICES = "tests/oauth/test_rfc8628_device_authorization.py"
EXCHANGE = "tests/oauth/test_rfc8693_token_exchange.py"
ASSERTIONS = "tests/oauth/test_rfc7523_2_1_jwt_bearer.py"
EXCHANGED_FOR = "tests/oauth/test_rfc8693_2_1_resources.py"
OTHER_GRANTS = "tests/oauth/test_rfc8707_other_grants.py"
REGISTERED = "tests/oauth/test_rfc7591_2_1_grant_types.py"
HOOKS = "tests/oauth/test_issuance_hooks.py"
HOOKS_ELSEWHERE = "tests/oauth/test_issuance_hooks_elsewhere.py"
_DEVICE_CODE = "oauth/grants/device_code.py"
_TOKEN_EXCHANGE = "oauth/grants/token_exchange.py"
_JWT_BEARER = "oauth/grants/jwt_bearer.py"

MUTATIONS: Mapping[str, Mutation] = {
    "a device code is anybody's": Mutation(
        module=_DEVICE_CODE,
        instead={"if device.client_id != request.client.client_id:": "if not device.client_id:"},
        tests=[f"{POLLING}::test_another_clients_device_code_is_refused_and_stays_good"],
    ),
    "a device code needs no secret of the store's": Mutation(
        module=_DEVICE_CODE,
        instead={"if not presented.belongs_to(device):": "if not presented.secret:"},
        tests=[f"{POLLING}::test_what_is_no_device_code_is_refused"],
    ),
    "two polls of one moment are both in time": Mutation(
        module=_DEVICE_CODE,
        instead={"if early or not alone:": "if early:"},
        tests=[f"{POLLING}::test_of_two_polls_of_one_moment_one_is_too_early"],
    ),
    "a device code stays good after its refresh token was used": Mutation(
        module=_DEVICE_CODE,
        instead={"if verdict.reason is not None:": "if verdict.reason is None and not grant:"},
        tests=[f"{POLLING}::test_a_device_code_that_comes_after_its_refresh_token_was_used_ends_the_grant"],
    ),
    "no compare-and-swap in the grant of devices": Mutation(
        module=_DEVICE_CODE,
        instead={"expected=grant.generation) is Spend.SPENT:": "expected=grant.generation) in Spend:"},
        tests=[f"{POLLING}::test_a_device_whose_grant_ends_while_it_fetches_gets_nothing"],
    ),
    "the second decision counts": Mutation(
        module="oauth/store_rules.py",
        instead={
            "    if stored is None or stored.decision is not None:\n        return None\n    return replace": (
                "    if stored is None:\n        return None\n    return replace"
            )
        },
        tests=[f"{DEVICES}::test_of_two_answers_to_one_code_the_first_counts"],
    ),
    "a token is exchanged by whoever has it": Mutation(
        module=_TOKEN_EXCHANGE,
        instead={"if subject.client_id not in known and": "if not known and"},
        tests=[f"{EXCHANGE}::test_a_client_may_not_exchange_tokens_of_clients_that_its_policy_does_not_name"],
    ),
    "an exchanged token lives as long as its client's others": Mutation(
        module=_TOKEN_EXCHANGE,
        instead={"return min(life, ends_at - server.now())": "return life"},
        tests=[f"{EXCHANGE}::test_it_never_lasts_longer_than_what_it_was_exchanged_for"],
    ),
    "an exchanged token forgets its grant": Mutation(
        module="oauth/tokens/standing.py",
        instead={"    return end_of(grant, owner, now, issued=token.generation)\n": "    return None\n"},
        tests=[f"{EXCHANGE}::test_it_ends_with_what_the_user_allowed"],
    ),
    "who revokes an exchanged token ends the grant": Mutation(
        module="oauth/endpoints/revocation.py",
        instead={"if token.grant_id and not token.exchanged:": "if token.grant_id:"},
        tests=[f"{EXCHANGE}::test_revoking_it_ends_it_alone"],
    ),
    "anybody's token names an actor": Mutation(
        module=_TOKEN_EXCHANGE,
        instead={"if actor.client_id != request.client.client_id:": "if not actor.client_id:"},
        tests=[f"{EXCHANGE}::test_an_actor_token_of_another_client_is_refused"],
    ),
    "an assertion is good again": Mutation(
        module=_JWT_BEARER,
        instead={
            "    if not await _is_first_use(asserted, server):\n        ended": "    if not asserted:\n        ended"
        },
        tests=[f"{ASSERTIONS}::test_of_two_who_bring_it_at_once_one_is_answered"],
    ),
    "whoever signs is trusted": Mutation(
        module="oauth/trusted_issuers.py",
        instead={"    if not signed:\n": "    if signed is None:\n"},
        tests=[f"{ASSERTIONS}::test_a_signature_of_another_key_is_refused"],
    ),
    "an issuer speaks for all": Mutation(
        module="oauth/trusted_issuers.py",
        instead={"if issuer.subjects and not any(": "if issuer.subjects and not all("},
        tests=[f"{ASSERTIONS}::test_an_issuer_speaks_only_for_whom_it_may"],
    ),
    "a hook adds scope": Mutation(
        module="oauth/issuance_hooks.py",
        instead={"tuple(value for value in issuance.scope if value in final)": "tuple(final)"},
        tests=[f"{HOOKS}::test_it_can_add_nothing"],
    ),
    "a hook adds scope to a token for a resource": Mutation(
        module="oauth/issuance_hooks.py",
        instead={"tuple(value for value in target.scope if value in final)": "tuple(final)"},
        tests=[f"{HOOKS_ELSEWHERE}::test_it_adds_nothing_to_a_token_for_a_resource"],
    ),
    "any resource is exchanged for": Mutation(
        module="oauth/tokens/resource_indicators.py",
        instead={"return tuple(uri for uri in audiences if _may_ask(client, uri, server))": "return audiences"},
        tests=[f"{EXCHANGED_FOR}::test_one_that_is_for_others_is_an_invalid_target"],
    ),
    "a token for a subject elsewhere outlives its assertion": Mutation(
        module="oauth/tokens/issuing.py",
        instead={"    if until is not None:\n": "    if until is not None and until < now:\n"},
        tests=[f"{OTHER_GRANTS}::test_it_lives_no_longer_than_the_assertion_whatever_the_resource_says"],
    ),
    "a grant that a server does not offer is registered": Mutation(
        module="oauth/registration/rules.py",
        instead={"registration.grant_types if grant_type in known)": "registration.grant_types)"},
        tests=[f"{REGISTERED}::test_a_grant_that_the_server_does_not_offer_is_registered_by_nobody"],
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_tests_notice(name: str, tmp_path: Path) -> None:
    assert_noticed(MUTATIONS[name], tmp_path)
