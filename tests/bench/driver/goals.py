"""What was aimed at, against what was measured, and against what programs make of it that do nothing."""
from dataclasses import dataclass, field
from typing import Optional

from . import report
from .contestants import FLOORS
from .rounds import Spread

MB = 1e6


@dataclass
class Goal:
    what: str
    limit: float
    least: bool  # measured must be at least `limit`; else, at most
    measured: Optional[Spread]
    form: str = "{:.3f}"
    unit: str = ""
    floors: dict = field(default_factory=dict)  # title > figure
    remark: str = ""

    def reaches(self, figure):
        return figure >= self.limit if self.least else figure <= self.limit

    @property
    def is_below_floor(self):
        """Out of reach: one of the programs that do less than any tracer must does not reach it either."""
        return any(not self.reaches(figure) for figure in self.floors.values())

    @property
    def verdict(self):
        if not self.measured:
            return "not measured"
        if self.reaches(self.measured.median):
            return "**yes**"
        return "no; a floor misses it too" if self.is_below_floor else "no"

    def row(self):
        limit = ("≥ " if self.least else "≤ ") + f"{self.limit:g}{self.unit}"
        measured = report.spread(self.measured.values, self.form) if self.measured else ""
        floors = "; ".join(f"{title} {self.form.format(figure)}" for title, figure in self.floors.items())
        return [self.what, limit, measured + (f" {self.remark}" if self.remark else ""), floors, self.verdict]


def _median(values):
    spread = Spread(values)
    return spread.median if spread else None


def _ratios(rounds, key="rate"):
    return Spread(r.ratio(key) for r in rounds or [])


def _floors(figures, *names):
    """Of those that were measured."""
    return {FLOORS[name]: figures[name] for name in names if figures.get(name) is not None}


def _throughput(results):
    rounds = results.throughput
    floors = {name: _median(r.ratio() for r in rounds.get(name, [])) for name in FLOORS}

    def goal(what, name, limit, *over):
        return Goal(f"throughput, {what} (untraced = 1)", limit, True, _ratios(rounds.get(name)),
                    floors=_floors(floors, *over))

    def cpu(what, name, limit):
        return Goal(f"CPU seconds per million events, {what}", limit, False,
                    Spread(report.per_million(r.traced) for r in rounds.get(name, [])))
    yield goal("text to a file", "text", 0.92, "twice", "fields")
    yield goal("recording", "recording", 0.93, "twice", "fields")
    yield goal("a filter that matches nothing", "filter", 0.97, "twice", "flag")
    seen = [r.traced.seen for name in ("text", "filter", "recording") for r in rounds.get(name, [])]
    lost = [s.lost for s in seen if s and s.lost is not None]
    expected = sum(s.expected or 0 for s in seen if s)
    yield Goal("events lost in these", 0, False, Spread([sum(lost)] if lost else []), "{:.0f}",
               remark=f"of {expected / 1e6:.1f} million" if lost else "")
    yield cpu("text", "text", 0.10)
    yield cpu("recording", "recording", 0.06)


def _kernel(results):
    ns = {name: [report.ns_of(r.traced.programs) for r in rounds] for name, rounds in results.ns.items()}
    ns = {name: [n for n in found if n is not None] for name, found in ns.items()}
    empty = _median(ns.get("empty", []))
    if empty is None:
        return
    over = {name: _median(found) - empty for name, found in ns.items() if found}
    yield Goal("ns in the kernel an event, text, above an empty program", 60, False,
               Spread(n - empty for n in ns.get("text", [])), "{:.0f}", floors=_floors(over, "twice", "flag", "fields"))


def _latency(results):
    floors = {name: _median(r.ratio("p99_us") for r in results.latency.get(name, [])) for name in FLOORS}
    for what, name in (("text", "text"), ("recording", "recording")):
        yield Goal(f"p99 of connect, accept and close, {what} (untraced = 1)", 1.03, False,
                   _ratios(results.latency.get(name), "p99_us"), floors=_floors(floors, "empty"))


def _at_rest(results):
    text = results.idle.alone.get("text", []) if results.idle else []
    yield Goal("wake-ups a second, no connection there", 0, False, Spread(text), "{:.1f}")
    for s in results.start:
        yield Goal(f"start to the first event, {s.sockets:,} sockets present", 100, False, s.first_event_ms, "{:.0f}", " ms")


def _memory(results):
    peaks = [r.traced.highest_without_ring_kib * 1024 / MB for r in results.throughput.get("text", [])]
    floor = [r.traced.highest_kib * 1024 / MB for r in results.throughput.get("empty", [])]
    yield Goal("peak memory without the ring, with what these runs left in TIME_WAIT", 12, False, Spread(peaks), "{:.1f}",
               " MB", floors=_floors({"empty": _median(floor)}, "empty"))
    if m := results.memory:
        yield Goal("memory without the ring, nothing connected", 12, False, Spread([max(m.start_kib, m.rest_kib) * 1024 / MB]),
                   "{:.1f}", " MB")
        yield Goal(f"bytes of memory per live connection, {m.connections:,} of them", 300, False,
                   Spread([m.bytes_per_connection] if m.lost == 0 else []), "{:.0f}")
        yield Goal(f"of {m.connections:,} live connections, not tracked", 0, False,
                   Spread([m.forgotten] if m.lost == 0 else []), "{:.0f}")


def _micro(results):
    def rates(prefix):
        return Spread(f.items_per_s / 1e6 for f in results.micro if f.name.startswith(prefix))
    formatting = Spread(f.items_per_s / 1e6 for f in results.micro if f.name == "text_ipv4")
    yield Goal("text formatting, million lines a second and core", 10, True, formatting, "{:.1f}")
    if results.recording:
        yield Goal("a recording counted (`info`), million events a second and core", 20, True,
                   results.recording.million_a_second(results.recording.count_cpu_s), "{:.1f}")
    yield Goal("the same with durations, owners and verdicts, but nothing printed", 20, True, rates("pipeline/count/records"),
               "{:.1f}")
    yield Goal("timelines (`-g`), million events a second and core", 2, True, rates("pipeline/timelines/records"), "{:.1f}")
    longest, growth = linearity(results.micro, "pipeline/text/records:")
    yield Goal("cost of an event in the longest run, to that in one of a million", 1.1, False, Spread(growth), "{:.2f}",
               remark=f"({longest / 1e6:g} million)" if growth else "")


def linearity(figures, prefix):
    """The longest run of more than a million, and its cost per event relative to a million's; (0, []) without."""
    by_length = {int(f.name.removeprefix(prefix)): f.items_per_s for f in figures if f.name.startswith(prefix)}
    longest = max(by_length, default=0)
    if longest <= 1_000_000 or 1_000_000 not in by_length:
        return 0, []
    return longest, [by_length[1_000_000] / by_length[longest]]


def table(results):
    """Of what was measured; empty if nothing of it was."""
    goals = [goal for part in (_throughput, _kernel, _latency, _at_rest, _memory, _micro) for goal in part(results)]
    rows = [goal.row() for goal in goals if goal.measured]
    return report.table(["", "goal", "measured", "floor", "reached"], rows) if rows else ""
