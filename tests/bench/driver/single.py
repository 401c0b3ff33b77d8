"""Measurements of one tracer by itself: at rest, at its start, and its memory."""
import os
import re
import select
import signal
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace

from . import machine
from .rounds import Spread
from .tracer_run import TracerRun

SWITCHES = r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)"


@dataclass
class Idle:
    """Wake-ups a second, of each interval, by contestant."""
    alone: dict  # with no connection on this side
    connections: int
    beside: dict  # with so many ends of connections on which nothing happens


def _switches(run):
    return sum(machine.tasks_sum(pid, SWITCHES) for pid in (run.pid, *run.children()))


def _intervals(runs, seconds, count):
    found = {name: [] for name in runs}
    before = {name: _switches(run) for name, run in runs.items()}
    for _ in range(count):
        time.sleep(seconds)  # the interval that is looked at
        now = {name: _switches(run) for name, run in runs.items()}
        for name in runs:
            found[name].append((now[name] - before[name]) / seconds)
        before = now
    return found


def idle(contestants, loads, workdir, seconds, connections, failures):
    """How often tracers run when nothing happens, their children included: all side by side, in the same three intervals.
    With connections there, tcpflight alone. It is told to see this network namespace only: the rest of the host does not
    rest. Who cannot start is added to `failures`."""
    here = f"netns {os.stat('/proc/self/ns/net').st_ino}"
    contestants = [replace(c, argv=[*c.argv, here]) if c.is_ours else c for c in contestants]
    with ExitStack() as stack:
        runs = {}
        for contestant in contestants:
            own = workdir / contestant.name
            own.mkdir(exist_ok=True)
            try:
                runs[contestant.name] = stack.enter_context(TracerRun(contestant, own))
            except RuntimeError as error:
                failures[contestant.name] = str(error)
        for run in runs.values():
            run.settle()
        alone = _intervals(runs, seconds, 3)
        ours = {c.name: runs[c.name] for c in contestants if c.is_ours and c.name in runs}
        with loads.held(connections):
            for run in ours.values():
                run.settle()
            return Idle(alone, connections, _intervals(ours, seconds, 3))


@dataclass
class Start:
    sockets: int
    listening_ms: Spread  # from exec to the line "listening on"
    first_event_ms: Spread  # from exec to the first line of output, with a connection each two milliseconds


def _ms_until_readable(argv, pipe_of, limit_s=10):
    """From exec until the tracer writes to one of its outputs."""
    begin = time.monotonic()
    # The other output goes nowhere: a full pipe would block the tracer.
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, pipe_of: subprocess.PIPE}
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, **pipes) as process:
        stream = getattr(process, pipe_of)
        try:
            ready, _, _ = select.select([stream], [], [], limit_s)
            ended = time.monotonic()
            if not ready or not os.read(stream.fileno(), 1):
                raise RuntimeError(f"{argv[0]} wrote nothing to {pipe_of} within {limit_s} s")
            return (ended - begin) * 1e3
        finally:
            process.send_signal(signal.SIGINT)
            # It may still be writing: read it to the end, or it would wait for us.
            while stream.read(1 << 16):
                pass


def start(argv, loads, sockets, repeats):
    with loads.held(sockets):
        machine.wait_until_quiet()
        listening = [_ms_until_readable(argv, "stderr") for _ in range(repeats)]
        with loads.paced_in_background(500, 600):  # more of them would take the tracer's CPU time
            first = [_ms_until_readable(argv, "stdout") for _ in range(repeats)]
    return Start(sockets, Spread(listening), Spread(first))


@dataclass
class Listing:
    sockets: int
    ours_ms: Spread
    ss_ms: Spread
    ratio: Spread  # ours to the two runs of ss beside it


def _run_ms(argv):
    begin = time.monotonic()
    subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return (time.monotonic() - begin) * 1e3


def listing(argv, loads, sockets, repeats):
    """`argv` between runs of ss that show the same, of one network namespace."""
    ss = ["ss", "-tanpoe"]
    with loads.held(sockets):
        machine.wait_until_quiet()
        theirs = [_run_ms(ss)]
        ours = []
        for _ in range(repeats):
            ours.append(_run_ms(argv))
            theirs.append(_run_ms(ss))
    ratios = [2 * mine / (before + after) for mine, before, after in zip(ours, theirs, theirs[1:])]
    return Listing(sockets, Spread(ours), Spread(theirs), Spread(ratios))


@dataclass
class Memory:
    connections: int  # ends that were opened while it watched
    start_kib: int  # resident, at most, before there is a ring: loading the programs takes more than running them
    rest_kib: int  # resident, after that, without the ring
    ring_kib: int  # as it is mapped
    idle_kib: int  # private memory
    busy_kib: int  # private memory with all connections
    forgotten: int  # connections for which it had no room
    lost: int  # events: it can know less connections then

    @property
    def bytes_per_connection(self):
        return (self.busy_kib - self.idle_kib) * 1024 / self.connections


def memory(contestant, loads, workdir, sockets):
    """What each live connection takes in user space."""
    with TracerRun(contestant, workdir) as run:
        ring, idle_kib = run.ring_kib(), machine.status_kib(run.pid, "RssAnon")
        rest = machine.status_kib(run.pid, "VmRSS") - ring
        with loads.held(sockets):
            run.settle()
            busy = machine.status_kib(run.pid, "RssAnon")
            run.stop()
        said = run.err.read_text()

        def told(what):
            found = re.search(rf"^(\d+) {what}", said, re.M)
            return int(found.group(1)) if found else 0
        return Memory(sockets, run.start_kib, rest, ring, idle_kib, busy, told("connections? forgotten"), told("events? lost"))
