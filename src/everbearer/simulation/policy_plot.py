"""The plot of policies: honest false sign-outs against a thief's stay, one panel for each of two thieves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10

from everbearer.oauth.models import DAY, HOUR
from everbearer.simulation.play import Outcome
from everbearer.simulation.svg import document, dot, line, square, text
from everbearer.simulation.thieves import Thief

_WIDTH, _HEIGHT = 1000, 560
_PANEL, _TOP, _BOTTOM = 300, 60, 430
_LEFTS = (70, 425)
_KEY_LEFT = 755
_PANELS = ((Thief.FIRST, "A thief who refreshes first"), (Thief.IN_STEP, "A thief in step with his victim"))
_RATES = (1, 10, 100, 1_000, 10_000, 100_000)
_NONE = 0.3
"""Where a rate of none is drawn on the logarithmic axis."""
_AT_ONCE = HOUR / 8
"""Where a stay of no time is drawn."""
_LABEL, _ROW = 15, 11
"""How wide and how high a label is."""


def plot_policies(outcomes: Sequence[Outcome], horizon: int) -> str:
    """Return the plot as SVG. `horizon` is for how many days thieves were looked at."""
    shapes = [text(_LEFTS[0] - 40, 24, "Down and left is better: fewer false sign-outs, a shorter stay", kind="title")]
    for left, (thief, title) in zip(_LEFTS, _PANELS, strict=True):
        shapes += _axes(left, title, horizon)
        shapes += _marks(outcomes, thief, left, horizon)
    shapes += _key(outcomes)
    return document(_WIDTH, _HEIGHT, "False sign-outs against a thief's stay, by rotation policy", shapes)


def _short(rate: int) -> str:
    return f"{rate // 1000}k" if rate >= 1000 else str(rate or "none")  # noqa: PLR2004 - that is what k means


def _x(left: float, rate: float) -> float:
    return left + _PANEL * (log10(max(rate, _NONE)) - log10(_NONE)) / (5 - log10(_NONE))


def _y(stay: float | None, horizon: int) -> float:
    # Never stands one step above the longest stay that was looked at.
    top = log10(horizon * DAY * 3)
    value = top if stay is None else log10(max(stay, _AT_ONCE))
    return _BOTTOM - (_BOTTOM - _TOP) * (value - log10(_AT_ONCE)) / (top - log10(_AT_ONCE))


def _axes(left: float, title: str, horizon: int) -> Iterator[str]:
    yield text(left, _TOP - 14, title, kind="strong")
    yield line(left, _BOTTOM + 8, left + _PANEL, _BOTTOM + 8, "axis")
    yield line(left - 8, _TOP, left - 8, _BOTTOM, "axis")
    for rate in (0, *_RATES):
        yield line(_x(left, rate), _TOP, _x(left, rate), _BOTTOM + 8, "grid")
        yield text(_x(left, rate), _BOTTOM + 24, _short(rate), anchor="middle", kind="small")
    stays = [(0, "0"), (HOUR, "1 h"), (4 * HOUR, "4 h"), (DAY, "1 d"), (horizon * DAY, f"{horizon} d"), (None, "never")]
    for stay, words in stays:
        yield line(left - 8, _y(stay, horizon), left + _PANEL, _y(stay, horizon), "grid")
        yield text(left - 13, _y(stay, horizon) + 4, words, anchor="end", kind="small")
    yield text(left + _PANEL / 2, _BOTTOM + 44, "false sign-outs per million refreshes", anchor="middle")


def _marks(outcomes: Sequence[Outcome], thief: Thief, left: float, horizon: int) -> Iterator[str]:
    marks = [(_x(left, each.false_sign_outs.per_million), _y(each.dwell[thief].median, horizon)) for each in outcomes]
    for outcome, (x, y) in zip(outcomes, marks, strict=True):
        yield dot(x, y, "a") if outcome.policy.ours else square(x, y, "b")
    # A label keeps clear of other labels and of marks, whose middle lies lower and further right than a label's start.
    taken = [(x - 6, y + 4) for x, y in marks]
    for number, (x, y) in enumerate(marks, 1):
        place = _free(x, y, taken)
        taken.append(place)
        yield text(*place, str(number), kind="small")


def _free(x: float, y: float, taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the nearest place above a mark, or below it at the top, where a label covers nothing."""
    up = -1 if y > _TOP + 60 else 1
    places = [(x + across, y + 4 + up * _ROW * row) for row in range(1, 30) for across in (-6, 10)]
    return next(
        (place for place in places if all(abs(place[0] - a) >= _LABEL or abs(place[1] - b) >= _ROW for a, b in taken)),
        places[-1],
    )


def _key(outcomes: Sequence[Outcome]) -> Iterator[str]:
    step = min(16.0, (_HEIGHT - 80) / max(1, len(outcomes)))
    for number, outcome in enumerate(outcomes, 1):
        y = 52 + step * number
        yield dot(_KEY_LEFT, y - 4, "a") if outcome.policy.ours else square(_KEY_LEFT, y - 4, "b")
        yield text(_KEY_LEFT + 12, y, f"{number}  {outcome.policy.name}", kind="small")
