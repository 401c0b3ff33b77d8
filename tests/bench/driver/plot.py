"""The picture: throughput of each contestant relative to the untraced runs beside it, with the range of the rounds; and
beside it what the tracer itself takes and loses."""
from html import escape
from itertools import groupby
from pathlib import Path

from . import report
from .rounds import Spread

ROW = 30
GROUP = 34  # the title of a group
LEFT = 292
SCALE = 430  # from 0 to 1
VALUE = LEFT + SCALE * 1.05 + 16
CPU = VALUE + 128
LOST = CPU + 104
WIDTH = LOST + 84
TOP = 104
INK = "#1f2328"
PALE = "#59636e"
GRID = "#e4e8ec"
GOAL = "#cf222e"
# Of the groups, in their order.
COLORS = {"What is attainable": "#b8c0c9", "tcpflight": "#1f6feb", "Other tools": "#8b7fb8"}


class Bar:
    def __init__(self, contestant, rounds):
        self.title = contestant.title.replace("*", "").removeprefix("a ").removeprefix("an ")
        self.group = ("What is attainable" if contestant.is_floor else "tcpflight" if contestant.is_ours else "Other tools")
        self.spread = Spread(r.ratio() for r in rounds)
        self.goal = contestant.goal
        self.cpu_s = Spread(report.per_million(r.traced) for r in rounds)
        self.lost = "" if contestant.is_floor else report.loss_share(rounds)


def _x(ratio):
    return LEFT + SCALE * min(max(ratio, 0), 1.05)


def _text(x, y, text, anchor="start", size=13, weight="normal", fill=INK):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{fill}">{escape(text)}</text>')


def _bar(y, bar):
    middle = y + ROW / 2
    low, median, high = (_x(value) for value in (bar.spread.low, bar.spread.median, bar.spread.high))
    parts = [
        _text(LEFT - 12, middle + 4.5, bar.title, "end"),
        f'<rect x="{LEFT}" y="{y + 6}" width="{median - LEFT:.1f}" height="{ROW - 12}" rx="2" fill="{COLORS[bar.group]}"/>',
        f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8" stroke="{INK}" '
        'stroke-width="1.3" fill="none"/>',
        _text(VALUE + 44, middle + 4.5, f"{bar.spread.median:.3f}", "end", weight="600"),
    ]
    if bar.goal:
        x = _x(bar.goal)
        parts.append(f'<path d="M{x:.1f} {y + 2}v{ROW - 4}" stroke="{GOAL}" stroke-width="2.5"/>')
        parts.append(_text(VALUE + 52, middle + 4.5, f"≥ {bar.goal:.2f}", size=12, fill=GOAL))
    if bar.group != "What is attainable":
        parts.append(_text(CPU + 44, middle + 4.5, f"{bar.cpu_s.median:.2f}", "end"))
        parts.append(_text(LOST + 44, middle + 4.5, bar.lost, "end"))
    return "".join(parts)


def _axis(bottom):
    parts = []
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x = _x(tick)
        parts.append(f'<path d="M{x:.1f} {TOP - 6}V{bottom}" stroke="{PALE if tick == 1 else GRID}"/>')
        parts.append(_text(x, bottom + 18, f"{tick:.1f}", "middle", size=12, fill=PALE))
    return parts


def _heads():
    y = TOP - 14
    return [_text(x + 44, y, text, "end", size=12, fill=PALE)
            for x, text in ((VALUE, "median"), (CPU, "CPU s per 1M"), (LOST, "lost"))]


def write(path: Path, bars, subtitle):
    groups = [(name, list(members)) for name, members in
              groupby(sorted(bars, key=lambda bar: list(COLORS).index(bar.group)), key=lambda bar: bar.group)]
    bottom = TOP + GROUP * len(groups) + ROW * len(bars)
    height = bottom + 62
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height}" width="{WIDTH:.0f}" height="{height}" '
        'font-family="system-ui, \'Segoe UI\', Helvetica, Arial, sans-serif">',
        f'<rect width="100%" height="100%" fill="#ffffff"/>',
        _text(20, 32, "Throughput of a saturated host while it is watched, untraced = 1", size=18, weight="600"),
        _text(20, 54, subtitle, size=12, fill=PALE),
        *_axis(bottom), *_heads(),
    ]
    y = TOP
    for name, members in groups:
        parts.append(_text(20, y + 22, name, weight="600", fill=PALE))
        y += GROUP
        for bar in members:
            parts.append(_bar(y, bar))
            y += ROW
    legend = ("Bars: medians. Whiskers: the lowest and the highest round. Red: goals. CPU: of the tracer itself, a million "
              "events.")
    parts.append(_text(20, bottom + 46, legend, size=12, fill=PALE))
    parts.append("</svg>\n")
    path.write_text("\n".join(parts), encoding="utf-8")
