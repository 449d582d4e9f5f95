"""Plots: columns, one for each month, drawn here as SVG so that no script has to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 8, 8, 26, 28
GAP_SHARE = 0.34


@dataclass(frozen=True)
class Bar:
    """One column: what stands below it, its value, and the value as people read it. None is nothing to show."""

    label: str
    value: float | None
    shown: str
    is_under_way: bool = False


@dataclass(frozen=True)
class Drawn:
    """A column in the picture's own measures."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    bar: Bar
    is_labelled: bool


@dataclass(frozen=True)
class Plot:
    """A picture of columns; `title` says in words what it shows."""

    title: str
    columns: Sequence[Drawn]
    top_shown: str
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - BOTTOM
    top: int = TOP


def draw(title: str, bars: Sequence[Bar], *, top_shown: str) -> Plot:
    """Columns from zero up, the highest as high as there is room. `top_shown` is the highest value in words."""
    highest = max((bar.value or 0 for bar in bars), default=0)
    step = (WIDTH - LEFT - RIGHT) / max(len(bars), 1)
    room = HEIGHT - TOP - BOTTOM
    columns = []
    for number, bar in enumerate(bars):
        height = room * (bar.value or 0) / highest if highest else 0
        x = LEFT + step * (number + GAP_SHARE / 2)
        columns.append(
            Drawn(
                x=round(x, 1),
                y=round(HEIGHT - BOTTOM - height, 1),
                width=round(step * (1 - GAP_SHARE), 1),
                height=round(height, 1),
                middle=round(x + step * (1 - GAP_SHARE) / 2, 1),
                bar=bar,
                # The last is always named; of the others every second, so that names do not touch.
                is_labelled=(len(bars) - 1 - number) % 2 == 0,
            )
        )
    return Plot(title, columns, top_shown)
