"""JSON and base64url as tokens and answers need them."""

from __future__ import annotations

import json
import sys
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everbearer.oauth import encoding
from everbearer.oauth.encoding import base64url, compact_json, from_base64url, standard_json

TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@given(VALUES)
def test_json_is_the_same_with_and_without_msgspec(value: object) -> None:
    assert compact_json(value) == standard_json(value)
    assert json.loads(compact_json(value)) == value


def test_without_msgspec_the_standard_library_writes_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec.json", None)

    assert encoding._fastest.__wrapped__() is standard_json


@given(st.binary())
@pytest.mark.spec("RFC 7515", "2")
def test_base64url_is_without_padding_and_comes_back(data: bytes) -> None:
    text = base64url(data)

    assert text == urlsafe_b64encode(data).decode().rstrip("=")
    assert from_base64url(text) == data


@pytest.mark.parametrize("text", ["YR", "a+b", "/w", "_x", "YQ==", "a", "a b", "a\nb", "é", "-_-"])
def test_only_the_one_text_of_a_value_is_read(text: str) -> None:
    assert from_base64url(text) is None
