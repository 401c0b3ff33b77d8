"""Puts the report together: latest.md, throughput.svg and rounds.json."""
import json
import shlex

from . import goals, machine, plot, raw, report

PACKAGES = ("libbpf-tools", "bpftrace", "bpftool", "tcpdump", "linux-perf", "nginx-light", "wrk", "clang", "gcc", "libbpf1")

INTRODUCTION = """\
# What watching costs

Made by `tools/bench{arguments}` on {date}: do not edit, run it again.

{machine}. Versions: {versions}.

What a wake-up of another process costs differs between machines, virtual ones above all, and it is most of what the slow
tools cost: only ratios can be compared, and only on one machine. Figures are medians of several rounds, with the lowest and
the highest in parentheses. Rounds are interleaved: each contestant runs between two untraced runs and is compared with the
mean of these two. A round in which others took more than {limit:.0%} of the CPUs is repeated; if that did not help it is
counted as spoiled.
"""

GOALS = """\
## The goals

A floor is a program on the tracepoint that does less than a tracer must: nothing at all, nothing twice (tcpflight hangs [two
programs](../decisions/0004-nested-events.md) there), one that looks up what is known of the socket, one that reads the fields
of a line and sends nothing. Where a floor misses the goal too, no tracer built that way can reach it on this kernel.
"""

THROUGHPUT = """\
## Throughput at saturation

Loopback connections as fast as they go, on all cores: `load churn --events {events}`. {workers} pinned workers each play
both ends, 10 % of the connections end by reset. Nothing else can be as hard on a tracer: a real server does something
between its connections (see below). Output goes to a file. CPU is the tracer's own, from when it was attached until it
had read everything; nanoseconds are the time in its BPF programs, from rounds of their own with
`kernel.bpf_stats_enabled`, which adds some 30 ns to each run of a program. Lost is told against the load's own count of events,
all rounds together; of tcpflight's output the lines are counted too, so that nothing can be missing unnoticed. Peak memory
contains the ring buffer, which is mapped twice.
"""


def _versions():
    return ", ".join(machine.package_versions(PACKAGES)) or "unknown"


def _throughput(session, results):
    ns = {name: report.ns_per_event(rounds) for name, rounds in results.ns.items()}
    parts = [THROUGHPUT.format(events=session.options.events, workers=machine.CPUS),
             report.throughput(session.field, results.throughput, ns)]
    trend = report.rate_trend(results.throughput)
    if trend:
        ratio, rates = trend
        parts.append(f"Untraced runs made {rates.median / 1e6:.2f} ({rates.low / 1e6:.2f}-{rates.high / 1e6:.2f}) million "
                     f"events a second; those of the last round {ratio:.3f} times those of the first.\n")
    parts.append("![Throughput of each contestant](throughput.svg)\n")
    return parts


def _left_out(session):
    lines = [f"- {name}: not available here" for name in session.missing]
    lines += [f"- {name}: {why}" for name, why in session.failures.items()]
    lines += [f"- {mishap}" for mishap in session.mishaps]
    lines += [f"- {name}: there was no time for it" for name in session.left_out]
    return ["## Left out\n", "\n".join(lines) + "\n"] if lines else []


def _commands(session):
    shown = [shlex.join(c.argv).replace(str(session.options.build) + "/", "") for c in session.field]
    return ["## The commands\n", "```\n" + "\n".join(shown) + "\n```\n",
            "`OUT` is the output file; where there is none, standard output goes to it.\n"]


def verifier_lines(compared):
    """For the terminal."""
    for name, now, committed in compared:
        change = f" ({now - committed:+d} since the committed figure)" if committed is not None else ""
        yield f"verifier: {name}: {now} instructions processed{change}"


def _sections(session, results, argv):
    arguments = "".join(" " + argument for argument in map(shlex.quote, argv))
    yield INTRODUCTION.format(arguments=arguments, date=report.date(), machine=machine.describe(), versions=_versions(),
                              limit=machine.NoiseMeter.LIMIT)
    if reached := goals.table(results):
        yield GOALS
        yield reached
    if results.throughput:
        yield from _throughput(session, results)
    if results.ns:
        yield "### Program by program\n"
        yield report.programs(session.field, results.ns)
    if results.filtered:
        yield "## Filters\n"
        yield ("`load churn`, between runs with an empty program attached. The second line is the floor: what it takes to "
               "find what is known of a socket, and to test it. Throughput is by the clock, and by the CPU time that the load "
               "itself took, which other processes disturb less; of fast runs alone it is the ratio of the upper quartiles, "
               "since what disturbs a run makes it slower. Nanoseconds are of all programs together, with what "
               "counting them adds to each.\n")
        yield report.filters(results.filtered)
    if results.latency:
        yield "## Latency\n"
        yield (f"{session.LATENCY_RATE:,} connections a second, `load paced --rate {session.LATENCY_RATE}`: connect, accept and "
               "close of each, together. The figures are the ratio to the untraced runs beside it, their own median, and how "
               "much is added to it.\n")
        yield report.latency(session.field, results.latency)
    if results.web:
        yield "## A web server\n"
        yield "nginx, asked by `wrk -t1 -c32 -H 'Connection: close'`: a new connection for each request.\n"
        yield report.web(session.field, results.web)
    if results.idle:
        yield "## At rest\n"
        yield ("Context switches of tracers to which nothing happens, all side by side, and those of their children; tcpflight is "
               "told to see the network namespace of these runs only. While connections are there it looks at them every five "
               "seconds, for what waits without an event; `--sweep 0` turns that off.\n")
        yield report.idle(session.field, results.idle)
    if results.start:
        yield "## Start\n"
        yield report.starts(results.start)
    if results.listing:
        yield "## Listing\n"
        yield "`tcpflight list --wide` between runs of `ss -tanpoe`, of which it is the ratio.\n"
        yield report.listings(results.listing)
    if results.memory:
        m = results.memory
        yield "## Memory\n"
        yield (f"{m.start_kib / 1024:.1f} MiB resident at most while the programs are loaded; {m.rest_kib / 1024:.1f} MiB after "
               f"that, without the ring (mapped twice: {m.ring_kib / 1024:.1f} MiB). Private of it are "
               f"{m.idle_kib / 1024:.1f} MiB; with {m.connections:,} live connections {m.busy_kib / 1024:.1f} MiB, "
               f"{m.bytes_per_connection:.0f} bytes for each. {m.forgotten:,} of them found no room, {m.lost:,} events were "
               "lost.\n")
    if results.recording:
        r = results.recording
        yield "## A recording\n"
        yield (f"`tcpflight -w`, with `load churn` beside it: {r.events} changes of state, with accepts and resets {r.records} "
               "events. Its writer is measured with the same records (`recording_copy`), which also makes the large file of "
               "them. Files are in memory. CPU times are those of the whole program, user and system.\n")
        yield report.recording(r)
    if results.micro:
        yield "## User space, step by step\n"
        yield report.micro(results.micro)
    if results.verifier:
        yield "## The verifier\n"
        yield report.verifier(results.verifier)
    yield from _left_out(session)
    yield from _commands(session)


def write(out, session, argv):
    results = session.results
    (out / "latest.md").write_text("\n".join(_sections(session, results, argv)), encoding="utf-8")
    raw.write(out / "rounds.json", {"date": report.date(), "machine": machine.describe(), "versions": _versions(),
                                    **session.raw})
    bars = [plot.Bar(c, results.throughput[c.name]) for c in session.field if results.throughput.get(c.name)]
    if bars:
        plot.write(out / "throughput.svg", bars, machine.describe())
