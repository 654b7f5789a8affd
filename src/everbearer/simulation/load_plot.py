"""The plot of an outage: what is answered per second afterwards, without and with jittered lifetimes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from everbearer.oauth.models import MINUTE
from everbearer.simulation.load import Course
from everbearer.simulation.svg import curve, document, line, text

_WIDTH, _HEIGHT = 900, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 870, 60, 320
_EVERY = 30
"""Seconds between two points of a curve."""


def plot_courses(courses: Sequence[Course]) -> str:
    """Return the plot of one or two courses of the same outage as SVG."""
    load = courses[0].load
    seconds = len(courses[0].answered)
    title = (
        f"An outage of {load.outage // MINUTE} minutes, "
        f"and then room for {load.capacity:g} times the busiest time's refreshes"
    )
    shapes = [text(_LEFT - 30, 24, title, kind="title"), *_axes(courses, seconds)]
    for number, course in enumerate(courses):
        kind = "ab"[number % 2]
        shapes.append(curve(_points(course, courses), kind))
        words = f"jitter {course.load.jitter:g}" if course.load.jitter else "without jitter"
        x = _LEFT + 20 + 150 * number
        shapes += [line(x, 44, x + 24, 44, kind), text(x + 30, 48, words)]
    return document(_WIDTH, _HEIGHT, title, shapes)


def _top(courses: Sequence[Course]) -> float:
    return max(max(course.answered) for course in courses) * 1.05


def _points(course: Course, courses: Sequence[Course]) -> list[tuple[float, float]]:
    seconds = len(course.answered)
    return [(_x(second, seconds), _y(course.answered[second], _top(courses))) for second in range(0, seconds, _EVERY)]


def _x(second: float, seconds: int) -> float:
    return _LEFT + (_RIGHT - _LEFT) * second / seconds


def _y(answered: float, top: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * answered / top


def _axes(courses: Sequence[Course], seconds: int) -> Iterator[str]:
    top = _top(courses)
    yield line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis")
    yield line(_LEFT, _TOP, _LEFT, _BOTTOM, "axis")
    for second in range(0, seconds + 1, 30 * MINUTE):
        yield line(_x(second, seconds), _TOP, _x(second, seconds), _BOTTOM, "grid")
        yield text(_x(second, seconds), _BOTTOM + 18, f"{second // MINUTE}", anchor="middle", kind="small")
    step = ceil(top / 4) / 2
    for number in range(int(top / step) + 1):
        yield line(_LEFT, _y(number * step, top), _RIGHT, _y(number * step, top), "grid")
        yield text(_LEFT - 8, _y(number * step, top) + 4, f"{number * step:g}", anchor="end", kind="small")
    yield text((_LEFT + _RIGHT) / 2, _BOTTOM + 40, "minutes since the outage began", anchor="middle")
    yield text(_RIGHT, _TOP - 12, "refreshes answered, in multiples of the busiest time's", anchor="end", kind="small")
