"""The colours of the pages: their contrast, also where axe cannot tell it, as on the glow at the top (WCAG 2.2)."""

from __future__ import annotations

import re

import pytest

from everbearer.server.pages.assets import STYLE

SURFACES = ("paper", "glow", "card", "wash")
TEXT = [(ink, surface) for ink in ("ink", "soft", "accent", "accent-deep") for surface in SURFACES]
PAIRS = [
    *(
        (ink, surface, 4.5)
        for ink, surface in [*TEXT, ("on-accent", "accent"), ("good", "good-wash"), ("ink", "field")]
    ),
    *(("field-line", surface, 3.0) for surface in ("paper", "card", "field")),
]
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part))
    for part in STYLE.content.decode().split("prefers-color-scheme: dark", 1)
)


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_what_is_to_be_read_or_found_stands_out(colours: dict[str, str], front: str, back: str, least: float) -> None:
    assert contrast(colours[front], colours[back]) >= least
