"""A plot of bars as SVG, written by hand: it needs no library."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

WIDTH, LABELS, FIGURES = 900, 330, 70
BAR, GAP, TOP = 22, 8, 56
COLOURS = {"Everbearer": "#1f6feb", "The floor": "#b9bfc7"}
OTHER = "#d98b3a"


def bars(title: str, values: Sequence[tuple[str, float, str]], note: str) -> str:
    """Return a plot of (label, value, project), in the order given."""
    height = TOP + len(values) * (BAR + GAP) + 30
    most = max((value for _, value, _ in values), default=0) or 1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        "<style>text { font-family: sans-serif; font-size: 13px }</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="30" style="font-size: 18px" fill="#1b1f24">{escape(title)}</text>',
    ]
    for at, (label, value, project) in enumerate(values):
        y = TOP + at * (BAR + GAP)
        length = max(1.0, (WIDTH - LABELS - FIGURES) * value / most)
        middle = y + BAR - 6
        parts += [
            f'<text x="{LABELS - 10}" y="{middle}" text-anchor="end" fill="#1b1f24">{escape(label)}</text>',
            f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{COLOURS.get(project, OTHER)}"/>',
            f'<text x="{LABELS + length + 8:.1f}" y="{middle}" fill="#1b1f24">{value:,.0f}</text>',
        ]
    parts += [f'<text x="16" y="{height - 12}" style="font-size: 11px" fill="#57606a">{escape(note)}</text>', "</svg>"]
    return "\n".join(parts) + "\n"
