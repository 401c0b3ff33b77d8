"""The picture: throughput of each contestant relative to the untraced runs beside it, with the range of the rounds."""
from html import escape
from pathlib import Path

ROW = 34
LEFT = 330
WIDTH = 520
RIGHT = 110
TOP = 76
OURS = "#1f6feb"
OTHERS = "#8b949e"
FLOOR = "#c9d1d9"


def _x(ratio):
    return LEFT + WIDTH * min(max(ratio, 0), 1.05) / 1.05


def _text(x, y, text, anchor="start", size=13, weight="normal", fill="#1f2328"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{fill}">{escape(text)}</text>')


def _row(index, bar):
    y = TOP + index * ROW
    middle = y + ROW / 2
    color = OURS if bar.is_ours else FLOOR if bar.is_floor else OTHERS
    parts = [
        _text(LEFT - 12, middle + 4.5, bar.title, "end", weight="600" if bar.is_ours else "normal"),
        f'<rect x="{LEFT}" y="{y + 6}" width="{_x(bar.spread.median) - LEFT:.1f}" height="{ROW - 12}" rx="2" '
        f'fill="{color}"/>',
        f'<path d="M{_x(bar.spread.low):.1f} {middle}H{_x(bar.spread.high):.1f}M{_x(bar.spread.low):.1f} {middle - 5}v10'
        f'M{_x(bar.spread.high):.1f} {middle - 5}v10" stroke="#1f2328" stroke-width="1.4" fill="none"/>',
        _text(_x(max(bar.spread.high, bar.spread.median)) + 10, middle + 4.5, f"{bar.spread.median:.3f}"),
    ]
    if bar.goal:
        x = _x(bar.goal)
        parts.append(f'<path d="M{x:.1f} {y + 3}v{ROW - 6}" stroke="#d1242f" stroke-width="2" stroke-dasharray="3 2"/>')
    return "".join(parts)


class Bar:
    def __init__(self, title, spread, is_ours, is_floor, goal):
        self.title = title.replace("*", "")
        self.spread = spread
        self.is_ours = is_ours
        self.is_floor = is_floor
        self.goal = goal


def write(path: Path, bars, subtitle):
    height = TOP + len(bars) * ROW + 56
    total = LEFT + WIDTH + RIGHT
    bottom = TOP + len(bars) * ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}" width="{total}" height="{height}" '
        'font-family="system-ui, \'Segoe UI\', Helvetica, Arial, sans-serif">',
        f'<rect width="{total}" height="{height}" fill="#ffffff"/>',
        _text(20, 30, "Throughput of a saturated host while watched (untraced = 1)", size=17, weight="600"),
        _text(20, 52, subtitle, size=12, fill="#57606a"),
    ]
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x = _x(tick)
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="{"#57606a" if tick == 1 else "#eaeef2"}"/>')
        parts.append(_text(x, bottom + 18, f"{tick:.1f}", "middle", size=12, fill="#57606a"))
    parts += [_row(index, bar) for index, bar in enumerate(bars)]
    parts.append(_text(20, bottom + 42, "Bars: medians; whiskers: lowest and highest round; dashed red: the goal.", size=12,
                       fill="#57606a"))
    parts.append("</svg>\n")
    path.write_text("\n".join(parts))
