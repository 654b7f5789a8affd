"""The reference of the configuration is made from it, and is never stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from everbearer.server.config.reference import duration_text, reference, settings

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_says_what_the_code_says() -> None:
    assert PAGE.read_text() == reference().rstrip("\n") + "\n", (
        "run: everbearer config reference > docs/configuration.md"
    )


def test_every_setting_stands_there_with_its_variable_and_default() -> None:
    page = reference()

    assert "### `access_token`\n\nAn access token.\n" in page
    assert '· default `"30m"` · `EVERBEARER_LIFETIMES__ACCESS_TOKEN`' in page
    assert "## [[clients]]" in page
    assert "`EVERBEARER_CLIENTS`, all of them as one TOML list" in page
    assert "· required" in page
    assert "- `offline_access`: " in page


def test_every_setting_is_told_to_programs() -> None:
    told = {setting["key"]: setting for setting in settings()}

    assert told["server.port"] == {
        "key": "server.port",
        "description": "The port to listen on.",
        "write": "a whole number from 0 to 65535",
        "default": "8000",
        "variable": "EVERBEARER_SERVER__PORT",
    }
    assert told["clients[].client_id"]["default"] == ""
    assert {"issuer", "scopes", "clients[].lifetimes", "users[].password_file"} <= told.keys()


def test_a_setting_of_several_lists_of_values_is_told_with_all_of_them() -> None:
    told = {setting["key"]: setting["write"] for setting in settings()}

    assert told["clients[].request_object_signing_alg"] == (
        'one of "", "ES256", "Ed25519", "EdDSA", "HS256", "PS256", "RS256", "none"'
    )
    assert '"HS256"' in told["clients[].token_endpoint_auth_signing_alg"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0"), (10, "10"), (60, '"1m"'), (7200, '"2h"'), (86400, '"1d"'), (31449600, '"52w"')]
)
def test_a_duration_is_told_as_one_would_write_it(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text
