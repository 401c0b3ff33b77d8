"""Puts the report together: latest.md, throughput.svg and rounds.json."""
import json
import shlex

from . import machine, plot, report

PACKAGES = ("libbpf-tools", "bpftrace", "bpftool", "tcpdump", "linux-perf", "nginx-light", "wrk", "clang", "gcc", "libbpf1")

INTRODUCTION = """\
# What watching costs

Made by `tools/bench{arguments}` on {date}: do not edit, run it again.

{machine}. Versions: {versions}.

What a wake-up of another process costs differs between machines, virtual ones above all, and it is most of what the slow
tools cost: only ratios can be compared, and only on one machine. Every figure is the median of several rounds with the lowest and the
highest in parentheses. Rounds are interleaved: each contestant runs between two untraced runs and is compared with the
mean of these two. A round in which others took more than {limit:.0%} of the CPUs is repeated; if that did not help it is
counted as spoiled.
"""

THROUGHPUT = """\
## Throughput at saturation

Loopback connections as fast as they go, on all cores: `load churn --events {events}`. {workers} pinned workers each play
both ends, 10 % of the connections end by reset. Nothing else can be as hard on a tracer: a real server does something
between its connections (see below). Output goes to a file. CPU is the tracer's own, from when it was attached until it
had read everything; nanoseconds are the time in its BPF programs, from rounds of their own with
`kernel.bpf_stats_enabled`, which adds some 30 ns a run to all alike. Lost is told against the true count of events, all
rounds together. Peak memory contains the ring buffer as far as it was mapped and touched.
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
    if results.throughput:
        yield from _throughput(session, results)
    if results.ns:
        yield "### Program by program\n"
        yield report.programs(session.field, results.ns)
    if results.filtered:
        yield "## Filters\n"
        yield ("`load churn`, between runs with an empty program attached. The second line is the floor: what it takes to "
               "find what is known of a socket, and to test it. Throughput is by the clock, and by the CPU time that the load "
               "itself took, which other processes disturb less. Nanoseconds are of all programs together, with what "
               "counting them adds to each.\n")
        yield report.filters(results.filtered)
    if results.latency:
        yield "## Latency\n"
        yield ("2,000 connections a second, `load paced --rate 2000`: connect, accept and close of each. The figure is the "
               "ratio to the untraced runs beside it, and their own median.\n")
        yield report.latency(session.field, results.latency)
    if results.web:
        yield "## A web server\n"
        yield "nginx, asked by `wrk -t1 -c32 -H 'Connection: close'`: a new connection for each request.\n"
        yield report.web(session.field, results.web)
    if results.idle:
        yield "## At rest\n"
        yield "Context switches of a tracer to which nothing happens.\n"
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
        yield (f"{m.peak_kib / 1024:.1f} MiB at most while starting; {m.idle_kib / 1024:.1f} MiB of its own at rest (without "
               f"the ring), and {m.bytes_per_connection:.0f} bytes more for each of {m.connections} live connections.\n")
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


def write(out, session, results, argv):
    (out / "latest.md").write_text("\n".join(_sections(session, results, argv)))
    (out / "rounds.json").write_text(json.dumps(session.raw, indent=1) + "\n")
    bars = [plot.Bar(c.title, report.Spread(r.ratio() for r in results.throughput[c.name]), "tcpflight" in c.title,
                     c.name in ("empty", "fields"), c.goal)
            for c in session.field if results.throughput.get(c.name)]
    if bars:
        plot.write(out / "throughput.svg", bars, machine.describe())
