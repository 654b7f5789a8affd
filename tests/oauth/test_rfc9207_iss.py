"""RFC 9207: every authorization response names its issuer."""

from __future__ import annotations

import pytest

from world import ANY_STORE, ISSUER, World

pytestmark = ANY_STORE


@pytest.mark.spec("RFC 9207", "2")
@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_a_response_with_a_code_names_its_issuer(world: World, mode: str) -> None:
    answer = await world.authorization_response(response_mode=mode)

    assert answer.members["iss"] == ISSUER


@pytest.mark.spec("RFC 9207", "2")
@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_an_error_names_its_issuer(world: World, mode: str) -> None:
    answer = await world.authorization_response(response_mode=mode, scope="unheard_of")

    assert answer.members["error"] == "invalid_scope"
    assert answer.members["iss"] == ISSUER
