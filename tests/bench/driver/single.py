"""Measurements of one tracer by itself: at rest, at its start, and its memory."""
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass

from . import machine
from .rounds import Spread
from .tracer_run import TracerRun

SWITCHES = r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)"


def idle_wakeups(contestant, workdir, seconds):
    """How often a tracer runs when nothing happens, a second."""
    with TracerRun(contestant, workdir) as run:
        before = machine.tasks_sum(run.pid, SWITCHES)
        time.sleep(seconds)  # the interval that is looked at
        return (machine.tasks_sum(run.pid, SWITCHES) - before) / seconds


@dataclass
class Start:
    sockets: int
    listening_ms: Spread  # from exec to the line "listening on"
    first_event_ms: Spread  # from exec to the first line of output, with a connection each half millisecond


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
        with loads.paced_in_background(2000, 600):
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
    peak_kib: int  # at the start: loading the programs takes more than running them
    idle_kib: int  # private memory after that
    busy_kib: int  # private memory with all connections

    @property
    def bytes_per_connection(self):
        return (self.busy_kib - self.idle_kib) * 1024 / self.connections


def memory(contestant, loads, workdir, sockets):
    """What each live connection takes in user space."""
    with TracerRun(contestant, workdir) as run:
        peak = run.peak_kib()
        idle = machine.status_kib(run.pid, "RssAnon")
        with loads.held(sockets):
            run.settle()
            return Memory(sockets, peak, idle, machine.status_kib(run.pid, "RssAnon"))
