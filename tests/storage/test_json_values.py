"""Values as JSON text and back, as stores of one's own keep them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.client import Client
from everbearer.oauth.events import Event
from everbearer.oauth.models import Grant
from everbearer.storage.json_values import from_json, to_json
from storage.values import CLIENT, ENDED, EVENT, GRANT

VALUES = [CLIENT, GRANT, replace(GRANT, ended=ENDED, code=None, claims=None), EVENT, Client(client_id="bare")]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_as_it_was_written(value: Client | Grant | Event) -> None:
    assert from_json(type(value), to_json(value)) == value


def test_what_an_older_release_did_not_write_has_its_default() -> None:
    assert from_json(Client, '{"client_id": "old"}') == Client(client_id="old")


def test_what_only_a_newer_release_knows_is_passed_over() -> None:
    assert from_json(Client, '{"client_id": "new", "unheard_of": [1]}') == Client(client_id="new")


@pytest.mark.parametrize("text", ["{}", "[]", "null", "1", '{"client_id": "a", "lifetimes": 1}', '{"scope": 1}', "{"])
def test_what_is_no_such_value_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"this is not a Client in JSON|Expecting"):
        from_json(Client, text)


def test_every_field_is_written() -> None:
    written: Any = json.loads(to_json(GRANT))

    assert written["history"][1] == [GRANT.history[1].at, "retried_late", 2, "::1", "curl/8 Ü"]
    assert set(written) == set(Grant.__dataclass_fields__)
