"""Plots as SVG, readable in light and in dark. No library: a few shapes, and one style."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .title { font-size: 14px; font-weight: 600 }
  .small { font-size: 11px }
  .axis { stroke: #8a8a8a; fill: none }
  .grid { stroke: #8a8a8a; stroke-opacity: .25 }
  .a { stroke: #0a7d4f; fill: #0a7d4f }
  .b { stroke: #b3541e; fill: #b3541e }
  .c { stroke: #3b62b5; fill: #3b62b5 }
  rect.hollow { fill: none; stroke-width: 1.6 }
  polyline.line { fill: none; stroke-width: 1.6 }
  .strong { font-weight: 700 }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd }
    .a { stroke: #4fd19a; fill: #4fd19a }
    .b { stroke: #f0a066; fill: #f0a066 }
    .c { stroke: #8fb0f5; fill: #8fb0f5 }
  }
"""


def document(width: int, height: int, title: str, shapes: Iterable[str]) -> str:
    """Return an SVG document with this title, for those who see it and those who hear it."""
    body = "\n".join(f"  {shape}" for shape in shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n'
        f"  <title>{escape(title)}</title>\n  <style>{_STYLE}  </style>\n{body}\n</svg>\n"
    )


def text(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "") -> str:
    """Return words at a place."""
    styled = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{styled}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def curve(points: Sequence[tuple[float, float]], kind: str) -> str:
    """Return a line through points. Those in the middle of a level stretch are left out."""
    turns = [
        (x, y)
        for number, (x, y) in enumerate(points)
        if {round(each[1], 1) for each in points[max(0, number - 1) : number + 2]} != {round(y, 1)}
        or number in (0, len(points) - 1)
    ]
    return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in turns)}" class="{kind} line"/>'


def dot(x: float, y: float, kind: str) -> str:
    """Return a round mark."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" class="{kind}"/>'


def square(x: float, y: float, kind: str) -> str:
    """Return a square mark."""
    return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" class="{kind} hollow"/>'
