"""The results as Markdown."""
import statistics
import time

from .rounds import Spread


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---|" * (len(head) - 1)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def spread(values, form="{:.3f}"):
    """"median (min-max)", or nothing."""
    values = Spread(value for value in values if value is not None)
    if not values:
        return ""
    return f"{form.format(values.median)} ({form.format(values.low)}-{form.format(values.high)})"


def per_million(sample):
    return sample.cpu_s * 1e6 / sample.load["events"]


def loss(rounds):
    """Of all rounds together."""
    seen = [r.traced.seen for r in rounds if r.traced.seen and r.traced.seen.lost is not None]
    if not seen:
        return ""
    lost = sum(s.lost for s in seen)
    expected = sum(s.expected or 0 for s in seen)
    if lost == 0:
        return "0"
    return f"{lost} ({lost / expected:.2%})" if expected else str(lost)


def loss_share(rounds):
    """Short: "0", or percent; "" where nobody can know."""
    seen = [r.traced.seen for r in rounds if r.traced.seen and r.traced.seen.lost is not None and r.traced.seen.expected]
    lost, expected = (sum(getattr(s, name) for s in seen) for name in ("lost", "expected"))
    if not seen or lost == 0:
        return "0" if seen else ""
    return "<0.01 %" if lost / expected < 1e-4 else f"{lost / expected * 100:.2g} %"


def bytes_per_event(rounds):
    sizes = [r.traced.output_bytes / r.traced.load["events"] for r in rounds if r.traced.output_bytes]
    return f"{Spread(sizes).median:.1f}" if sizes else ""


def throughput(contestants, results, ns):
    rows = []
    for c in contestants:
        rounds = results.get(c.name)
        if not rounds:
            continue
        spoiled = sum(r.is_spoiled for r in rounds)
        rows.append([
            c.title + (f" ({c.note})" if c.note else ""),
            spread([r.ratio() for r in rounds]),
            f"{c.goal:.2f}" if c.goal else "",
            spread([per_million(r.traced) for r in rounds]),
            ns.get(c.name, ""),
            loss(rounds),
            bytes_per_event(rounds),
            f"{max(r.traced.highest_kib for r in rounds) / 1024:.1f}",
            f"{len(rounds)}" + (f", {spoiled} spoiled" if spoiled else ""),
        ])
    return table(["", "throughput, untraced = 1", "goal", "tracer's CPU s per 1M events", "BPF ns per event", "lost",
                  "bytes per event", "peak MiB", "rounds"], rows)


def ns_of(programs_):
    """All programs of a contestant together. By their own count of events: it includes those of other processes."""
    events = max((p["runs"] for p in programs_.values()), default=0)
    return sum(p["ns"] for p in programs_.values()) / events if events else None


def ns_per_event(rounds):
    return spread([ns_of(r.traced.programs) for r in rounds], "{:.0f}")


def fast_ratio(rounds, key):
    """Upper quartile of the traced runs, that of the runs beside them = 1: what disturbs a run makes it slower."""
    def quartile(samples):
        return statistics.quantiles([s.load[key] for s in samples], n=4)[2]
    if len(rounds) < 4:
        return ""
    beside = [s for r in rounds for s in (r.before, r.after)]
    return f"{quartile([r.traced for r in rounds]) / quartile(beside):.3f}"


def filters(filtered):
    rows = []
    for c in filtered.field:
        rounds = filtered.rounds.get(c.name, [])
        shown = [r.traced.seen.shown / r.traced.seen.expected for r in rounds if r.traced.seen and r.traced.seen.expected]
        spoiled = sum(r.is_spoiled for r in rounds)
        rows.append([c.title + (f" ({c.note})" if c.note else ""), spread([r.ratio() for r in rounds]),
                     spread([r.ratio("per_cpu_s") for r in rounds]), fast_ratio(rounds, "per_cpu_s"),
                     f"{c.goal:.2f}" if c.goal else "",
                     ns_per_event(filtered.ns.get(c.name, [])), spread(shown, "{:.2%}"), loss(rounds),
                     f"{len(rounds)}" + (f", {spoiled} spoiled" if spoiled else "") if rounds else ""])
    head = ["", "throughput, empty program = 1", "the same per CPU second of the load",
            "that of fast runs alone", "goal", "BPF ns per event", "events shown", "lost", "rounds"]
    return table(head, rows) + "\n" + programs(filtered.field, filtered.ns)


def programs(contestants, results):
    rows = []
    for c in contestants:
        names = {name for r in results.get(c.name, []) for name in r.traced.programs}
        for name in sorted(names):
            found = [r.traced.programs[name] for r in results[c.name] if name in r.traced.programs]
            # What runs once a connection or oftener.
            runs = [p for p in found if p["runs"] * 100 > max(other["runs"] for r in results[c.name]
                                                              for other in r.traced.programs.values())]
            if runs:
                rows.append([c.title, f"`{name}`", spread([p["ns"] / p["runs"] for p in runs], "{:.0f}"),
                             spread([p["runs"] for p in runs], "{:.0f}")])
    return table(["", "program", "ns per run", "runs"], rows)


def latency(contestants, results):
    rows = []
    for c in contestants:
        rounds = results.get(c.name)
        if not rounds:
            continue
        cells = [c.title]
        for key in ("p50_us", "p99_us", "p999_us"):
            beside = Spread((r.before.load[key] + r.after.load[key]) / 2 for r in rounds)
            added = Spread(r.traced.load[key] - (r.before.load[key] + r.after.load[key]) / 2 for r in rounds)
            cells.append(f"{spread([r.ratio(key) for r in rounds])} of {beside.median:.1f} us: {added.median:+.1f} us")
        rows.append(cells)
    return table(["", "p50", "p99", "p99.9"], rows)


def web(contestants, results):
    rows = [[c.title, spread([r.ratio() for r in results[c.name]]),
             f"{Spread(r.before.load['rate'] for r in results[c.name]).median:.0f}"]
            for c in contestants if results.get(c.name)]
    return table(["", "requests/s, untraced = 1", "untraced requests/s"], rows)


def idle(contestants, measured):
    rows = [[c.title, spread(measured.alone[c.name], "{:.1f}"), spread(measured.beside.get(c.name, []), "{:.1f}")]
            for c in contestants if c.name in measured.alone]
    return table(["", "wake-ups/s, no connection", f"with {measured.connections:,} ends of connections"], rows)


def starts(measured):
    rows = [[f"{s.sockets:,}", spread(s.listening_ms.values, "{:.1f}"), spread(s.first_event_ms.values, "{:.1f}")]
            for s in measured]
    return table(["sockets present", "to \"listening on\", ms", "to the first event, ms"], rows)


def listings(measured):
    rows = [[f"{m.sockets:,}", spread(m.ours_ms.values, "{:.0f}"), spread(m.ss_ms.values, "{:.0f}"), spread(m.ratio.values)]
            for m in measured]
    return table(["sockets", "tcpflight, ms", "ss, ms", "ratio"], rows)


def recording(r):
    per_million = r.per_million(r.writer_cpu_s)
    rows = [
        ["bytes per event", f"{r.size / r.records:.1f}", "8"],
        ["bytes per change of state", f"{r.size / r.events:.1f}", ""],
        ["writing: CPU s per million events", spread(per_million.values), "0.06"],
        ["reading and counting (`info`): million events per CPU s", spread(r.million_a_second(r.count_cpu_s).values, "{:.1f}"),
         "20"],
        ["reading and filtering: million events per CPU s", spread(r.million_a_second(r.filter_cpu_s).values, "{:.1f}"),
         "10"],
        ["reading and printing: million events per CPU s", spread(r.million_a_second(r.read_cpu_s).values, "{:.1f}"), ""],
        [f"the first event of a moment in {r.large_size / 2**30:.2f} GiB, ms", spread(r.seek_ms, "{:.1f}"), "50"],
        ["the same, CPU ms", spread(r.seek_cpu_ms, "{:.1f}"), ""],
        ["the tracer with all that it does: CPU s per million events", f"{r.tracer_cpu_s * 1e6 / r.records:.2f}", ""],
    ]
    if r.tcpdump_events:
        rows.insert(2, ["tcpdump's capture of SYN, FIN and RST: bytes per change of state",
                        f"{r.tcpdump_size / r.tcpdump_events:.1f}", ""])
    return table(["", "", "goal"], rows)


def verifier(compared):
    rows = [[f"`{name}`", now, committed if committed is not None else "none",
             f"{now - committed:+d}" if committed is not None else ""] for name, now, committed in compared]
    return table(["program", "instructions processed", "committed", "change"], rows)


def micro(figures):
    rows = [[f"`{f.name}`", f"{f.items_per_s / 1e6:.2f}", f"{f.bytes_per_connection:.0f}" if f.bytes_per_connection else ""]
            for f in figures]
    return table(["", "million items/s, one core", "bytes per live connection"], rows)


def rate_trend(rounds_by_name):
    """The untraced rate of the first and of the last third: does the machine get slower from run to run?"""
    rates = [r.before.load["rate"] for rounds in rounds_by_name.values() for r in rounds]
    if len(rates) < 6:
        return None
    # By contestant, each list is in the order of time.
    firsts = [rounds[0].before.load["rate"] for rounds in rounds_by_name.values() if rounds]
    lasts = [rounds[-1].before.load["rate"] for rounds in rounds_by_name.values() if rounds]
    return Spread(lasts).median / Spread(firsts).median, Spread(rates)


def date():
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
