"""The page of what is tested tells what is tested, and nothing that a test does not hold."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from refresh_token_tests import REFRESH_TOKEN_TESTS, WAITING
from spec_coverage import PAGE, claims, missing, missing_modules, page
from specifications import NOT_SUPPORTED


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(claims()), "write it anew: python tests/spec_coverage.py"


def test_every_number_of_the_refresh_token_list_is_tested_or_says_what_it_waits_for() -> None:
    assert missing(claims()) == set()


def test_every_module_of_the_certification_plans_is_tested() -> None:
    assert missing_modules(claims()) == set()


def test_nothing_is_tested_that_is_said_to_wait() -> None:
    assert {number for claim in claims() for number in claim.numbers} & WAITING.keys() == set()
    assert set(WAITING.values()) <= NOT_SUPPORTED.keys()
    assert WAITING.keys() <= REFRESH_TOKEN_TESTS.keys()


def test_the_page_does_not_depend_on_the_order_of_the_tests() -> None:
    found = claims()
    shuffled = random.sample(found, len(found))

    assert page(shuffled) == page(found)


@pytest.mark.parametrize("marker", ['spec("RFC 1")', 'rt("RT-99")', "spec(DOCUMENT)", "rt()", 'module("oidcc-x")'])
def test_a_marker_that_means_nothing_is_refused(tmp_path: Path, marker: str) -> None:
    (tmp_path / "test_x.py").write_text(f"@pytest.mark.{marker}\ndef test_x():\n    pass\n")

    with pytest.raises(ValueError, match=r"no such specification|must have plain strings"):
        claims(tmp_path)
