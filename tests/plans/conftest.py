from __future__ import annotations

import pytest

from plans.relying_party import RelyingParty, new_relying_party


@pytest.fixture(params=[None, "form_post"], ids=["basic", "form_post"])
async def rp(request: pytest.FixtureRequest) -> RelyingParty:
    """Return a relying party of the Basic plan, then of the Form Post plan: the same modules, answered by forms."""
    return await new_relying_party(request.param)
