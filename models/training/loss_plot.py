"""A plot of losses as SVG: small, diffable, and readable without a plotting library."""

import math
from dataclasses import dataclass
from html import escape
from itertools import cycle

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 30, 50
COLOURS = ("#2f6fe0", "#d9383a", "#3fa65a")
TICKS = 5


@dataclass(frozen=True)
class Curve:
    """One line of the plot."""

    name: str
    x: list[float]
    y: list[float]


def loss_plot(curves: list[Curve], x_label: str, y_label: str) -> str:
    """Draw the curves over one pair of axes; the loss axis is logarithmic, so losses have to be above zero."""
    high_x = max(x for c in curves for x in c.x)
    low_y, high_y = min(y for c in curves for y in c.y), max(y for c in curves for y in c.y)

    def place(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (WIDTH - LEFT - RIGHT) * x / (high_x or 1)
        down = TOP + (HEIGHT - TOP - BOTTOM) * math.log(high_y / y) / (math.log(high_y / low_y) or 1)
        return round(across, 1), round(down, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"',
        ' font-size="12">',
        f"<title>{escape(y_label)} over {escape(x_label)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for i in range(TICKS + 1):
        x, y = high_x * i / TICKS, low_y * (high_y / low_y) ** (i / TICKS)
        parts += [
            _line(place(x, low_y), place(x, high_y)),
            _line(place(0, y), place(high_x, y)),
            _text(
                place(x, low_y)[0], HEIGHT - BOTTOM + 18, f"{x:.0f}" if high_x >= 10 * TICKS else f"{x:.3g}", "middle"
            ),
            _text(LEFT - 8, place(0, y)[1] + 4, f"{y:.3f}", "end"),
        ]
    for curve, colour in zip(curves, cycle(COLOURS)):
        points = " ".join("{},{}".format(*place(x, y)) for x, y in zip(curve.x, curve.y, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    for i, (curve, colour) in enumerate(zip(curves, cycle(COLOURS))):
        parts.append(_text(WIDTH - RIGHT - 8, TOP + 18 + 16 * i, curve.name, "end", colour))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts += [_text(middle, HEIGHT - 12, x_label, "middle"), _text(LEFT - 50, TOP - 14, y_label, "start"), "</svg>"]
    return "\n".join(parts) + "\n"


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    return f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}" stroke="#e0e0e0"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333333") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
