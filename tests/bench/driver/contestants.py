"""Who is measured, how it is started, and how to tell what it saw."""
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

TRACEPOINT_LINE = (
    'tracepoint:sock:inet_sock_set_state /args->protocol == 6/ { printf("%s.%06d IP %s.%d > %s.%d: %d -> %d, %s[%d]\\n", '
    'strftime("%H:%M:%S", nsecs), nsecs % 1000000000 / 1000, ntop(args->saddr), args->sport, ntop(args->daddr), '
    "args->dport, args->oldstate, args->newstate, comm, pid) }")

STATE_IN_TEXT = b" -> "


@dataclass
class Seen:
    """What a tracer says it saw of a run."""
    shown: Optional[int] = None  # in the unit of `expected`
    lost: Optional[int] = None
    expected: Optional[int] = None


@dataclass
class Contestant:
    name: str
    title: str
    argv: list  # OUT stands for the output file
    ready: Optional[str] = None  # on stderr, once it traces; None: when it holds `handles` and does nothing any more
    handles: str = r"bpf_link|perf_event"
    to_stdout: bool = True  # output is what it writes to stdout; otherwise OUT is an argument, or there is none
    see: Callable = lambda out, err, load: Seen()
    is_bpf: bool = False
    is_floor: bool = False  # shows what is attainable: does less than any tracer must
    in_latency: bool = False
    in_web: bool = False
    goal: Optional[float] = None  # of the throughput
    takes: float = 1.2  # times as long as an untraced run, about: for the plan alone
    note: str = ""

    @property
    def is_ours(self):
        return Path(self.argv[0]).name == "tcpflight"

    def command(self, out):
        return [str(out) if part == "OUT" else part for part in self.argv]


def _count(file, *texts):
    """How often each of them is in a file; a text that a block ends in the middle of is found as well."""
    counts = [0] * len(texts)
    rest = b""
    while block := file.read(1 << 20):
        for i, text in enumerate(texts):
            keep = len(text) - 1
            counts[i] += (rest[len(rest) - min(keep, len(rest)):] + block).count(text)
        rest = block[-64:]
    return counts


def _lines(path):
    with open(path, "rb") as file:
        return _count(file, b"\n")[0]


def _total(err, what):
    match = re.search(rf"^(\d+) events? {what}", err.read_text(), re.M)
    return int(match.group(1)) if match else None


def _check(states, lost, load):
    """That the truth is not more than what was shown and what is said to be lost: nothing may be lost silently."""
    expected = load.get("events")
    if expected is not None and states + lost < expected:
        raise RuntimeError(f"tcpflight shows {states} changes of state and says {lost} were lost, of {expected}")
    return Seen(states, lost, expected)


def _see_tcpflight(mark):
    """`mark` is in the line of a change of state, once, and in no other."""
    def see(out, err, load):
        shown, lost = _total(err, "shown"), _total(err, "lost")
        with open(out, "rb") as file:
            lines, states = _count(file, b"\n", mark)
        # Where events were lost there are lines that say so.
        if lines < shown or (lines > shown and lost == 0):
            raise RuntimeError(f"tcpflight says that it showed {shown} events, but wrote {lines} lines")
        return _check(states, lost, load)
    return see


def _see_shown(_out, err, load):
    return Seen(_total(err, "shown"), _total(err, "lost"), load.get("events"))


def _see_recording(tracer):
    def see(out, err, load):
        with subprocess.Popen([tracer, "-r", str(out)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as replay:
            states = _count(replay.stdout, STATE_IN_TEXT)[0]
        return _check(states, _total(err, "lost"), load)
    return see


def _see_filtered(_out, err, load):
    return Seen(_total(err, "filtered out"), _total(err, "lost"), load.get("events"))


def _line_counter(extra_lines, key="events", factor=1):
    def see(out, _err, load):
        shown = max(0, _lines(out) - extra_lines)
        if key not in load:
            return Seen(shown)
        expected = factor * load[key]
        return Seen(shown, max(0, expected - shown), expected)
    return see


def _see_tcpdump(_out, err, _load):
    text = err.read_text()
    captured = int(re.search(r"(\d+) packets? captured", text).group(1))
    dropped = int(re.search(r"(\d+) packets? dropped by kernel", text).group(1))
    return Seen(captured, dropped, captured + dropped)


def _see_perf(out, _err, load):
    stats = subprocess.run(["perf", "report", "--stats", "-i", str(out)], capture_output=True, text=True, check=False)
    samples = re.search(r"SAMPLE events:\s+(\d+)", stats.stdout)
    if not samples or "events" not in load:
        return Seen()
    return Seen(int(samples.group(1)), max(0, load.get("events") - int(samples.group(1))), load.get("events"))


# What is attainable, from nothing at all to what every line needs. tcpflight hangs two programs on the tracepoint
# (docs/decisions/0004-nested-events.md).
FLOORS = {
    "empty": "an empty BPF program",
    "twice": "two empty BPF programs",
    "flag": "a BPF program that looks up a flag",
    "fields": "a BPF program that reads the fields",
}


def _floor(build: Path, name, **more):
    command = [str(build / "tests/bench/bpf_host"), str(build / f"tests/bench/{name}.bpf.o")]
    return Contestant(name, FLOORS[name], command, "listening", is_bpf=True, is_floor=True, takes=1.05, **more)


def all_contestants(build: Path):
    """Those that are installed, in the order of the report; and the names of those that are not."""
    tracer = str(build / "tcpflight")
    ours = dict(ready="listening on", is_bpf=True)
    contestants = [
        _floor(build, "empty", in_latency=True),
        _floor(build, "twice"),
        _floor(build, "flag"),
        _floor(build, "fields"),
        Contestant("text", "**tcpflight > file**", [tracer], see=_see_tcpflight(STATE_IN_TEXT), in_latency=True,
                   in_web=True, goal=0.92, **ours),
        Contestant("json", "**tcpflight --format json > file**", [tracer, "--format", "json"],
                   see=_see_tcpflight(b'"event":"state"'), **ours),
        Contestant("filter", "**tcpflight --port 1** (matches nothing)", [tracer, "--port", "1"], see=_see_filtered,
                   in_latency=True, goal=0.97, **ours),
        Contestant("recording", "**tcpflight -w file**", [tracer, "-w", "OUT"], to_stdout=False, see=_see_recording(tracer),
                   in_latency=True, in_web=True, goal=0.93, **ours),
        Contestant("perf", "perf record -e sock:inet_sock_set_state",
                   ["perf", "record", "-q", "-a", "-e", "sock:inet_sock_set_state", "-o", "OUT"], to_stdout=False,
                   see=_see_perf),
        Contestant("tcpdump", "tcpdump -w, SYN/FIN/RST only",
                   ["tcpdump", "-i", "lo", "-w", "OUT", "tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0"],
                   "listening on", to_stdout=False, see=_see_tcpdump, in_web=True, takes=1.5, note="loss in packets"),
        Contestant("tcplife", "tcplife > file", ["tcplife"], see=_line_counter(1, "connections", 2), is_bpf=True,
                   takes=3, note="one line a connection and end"),
        Contestant("tcpstates", "tcpstates -T > file", ["tcpstates", "-T"], see=_line_counter(1), is_bpf=True,
                   in_latency=True, in_web=True, takes=8),
        Contestant("bpftrace", "bpftrace, the same line > file", ["bpftrace", "-e", TRACEPOINT_LINE],
                   see=_line_counter(2), is_bpf=True, takes=8),
    ]
    missing = [c.name for c in contestants if not shutil.which(c.argv[0])]
    if not _takes_option(tracer, "-w"):
        missing.append("recording")
    return [c for c in contestants if c.name not in missing], missing


def filters(build: Path):
    """The empty program; the floor of a filter; and filters, of those that keep nothing to one that the kernel cannot
    decide before a port is chosen."""
    tracer = str(build / "tcpflight")
    empty, flag = _floor(build, "empty"), _floor(build, "flag")

    def filtered(name, expression, note, goal=None):
        return Contestant(name, f"**tcpflight {expression}**", [tracer, expression], see=_see_shown, note=note, goal=goal,
                          ready="listening on", is_bpf=True)
    return empty, flag, [
        filtered("none", "net 192.0.2.0/24", "keeps nothing, known at once"),
        filtered("thousandth", "net 127.1.16.0/28 or 127.1.80.0/28 or 127.1.160.0/28", "keeps 1 connection in 1,000", goal=0.98),
        filtered("port", "port 443", "keeps nothing: not among the ports that are chosen"),
        filtered("late", "portrange 40000-40027", "keeps 1 connection in 1,000, open until the port is chosen", goal=0.98),
    ]


def _takes_option(tracer, option):
    listing = subprocess.run([tracer, "--help"], capture_output=True, text=True, check=True).stdout
    return re.search(rf"^\s+{re.escape(option)}\b", listing, re.M) is not None
