"""The modules of the OpenID Foundation's plan for logins that a third party initiates: one test each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from plans.dynamic_party import SUITE, Suite, running_suite

INITIATE = f"{SUITE}/test/a/everbearer/initiate_login"


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[Suite]:
    async with running_suite(tmp_path) as running:
        yield running


class Links(HTMLParser):
    """The links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs)["href"] or "")


@pytest.mark.module("oidcc-3rd_party-init-login")
async def test_oidcc_3rd_party_init_login_is_told_again_read_back_and_used(suite: Suite) -> None:
    client = await suite.register(initiate_login_uri=INITIATE, grant_types=["authorization_code"])
    read = await suite.http.get(
        client.registered["registration_client_uri"],
        headers={"authorization": f"Bearer {client.registered['registration_access_token']}"},
    )
    await client.tokens()
    account = Links()
    account.feed((await suite.http.get("/settings")).text)

    (opened,) = {link for link in account.found if link.startswith(INITIATE)}
    assert client.registered["initiate_login_uri"] == read.json()["initiate_login_uri"] == INITIATE
    assert dict(parse_qsl(urlsplit(opened).query))["iss"] == suite.provider.document["issuer"]


@pytest.mark.module("oidcc-3rd_party-init-login-nohttps")
async def test_oidcc_3rd_party_init_login_nohttps_is_refused(suite: Suite) -> None:
    answer = await suite.send(initiate_login_uri=INITIATE.replace("https://", "http://"))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
