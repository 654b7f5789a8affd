"""JSON and base64url as tokens and answers need them."""

from __future__ import annotations

import json
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, timedelta, timezone

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


@given(
    st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=5, minutes=45))))
    | st.dates()
    | st.times()
    | st.uuids()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sets(st.integers(), max_size=1)
    | st.frozensets(TEXTS, max_size=1)
)
def test_what_databases_know_and_json_does_not_is_the_same_too(value: object) -> None:
    assert standard_json({"claim": value}) == compact_json({"claim": value})


@pytest.mark.parametrize("write", [standard_json, compact_json])
def test_what_json_has_no_word_for_is_refused(write: Callable[[object], bytes]) -> None:
    with pytest.raises(TypeError, match="object"):
        write({"claim": object()})


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
