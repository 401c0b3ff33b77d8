"""A recording of real connections: its size, and what writing, reading and filtering it takes."""
import json
import os
import re
import resource
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from .rounds import Spread
from .tracer_run import TracerRun

LIMIT_S = 600
# One that matches nothing: what is measured is the reading, and not the writing of lines.
FILTER = "port 1"
SEEKS = 20


@dataclass
class Recording:
    events: int  # changes of state, as the load counts them
    records: int  # what the recording calls events: these, and accepts and resets
    size: int  # bytes
    tracer_cpu_s: float
    tcpdump_size: int  # bytes, of `tcpdump_events`
    tcpdump_events: int
    writer_cpu_s: list = field(default_factory=list)  # for all records
    read_cpu_s: list = field(default_factory=list)
    filter_cpu_s: list = field(default_factory=list)
    count_cpu_s: list = field(default_factory=list)
    large_size: int = 0  # bytes, of the file that is sought in
    seek_ms: list = field(default_factory=list)  # from exec to exit
    seek_cpu_ms: list = field(default_factory=list)

    def per_million(self, seconds):
        return Spread(s * 1e6 / self.records for s in seconds)

    def million_a_second(self, seconds):
        return Spread(self.records / s / 1e6 for s in seconds)


def _cpu_s(argv):
    """CPU time of a command, user and system. What it prints goes nowhere."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
                   timeout=LIMIT_S)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _record(contestant, loads, workdir, events):
    with TracerRun(contestant, workdir) as run:
        done = loads.churn(events)
        run.settle()
        cpu_s = run.cpu_s()
        run.stop()
        total = re.search(r"^(\d+) events? recorded in (\d+) bytes", run.err.read_text(), re.M)
        lost = re.search(r"^(\d+) events? lost", run.err.read_text(), re.M)
        if not total or not lost or lost.group(1) != "0":
            raise RuntimeError(f"the recording is not whole: {run.err.read_text()}")
        return done["events"], int(total.group(1)), int(total.group(2)), cpu_s, run.out.rename(workdir / "recording.tfr")


def _tcpdump_size(contestant, loads, workdir, events):
    """Bytes, and the events of the load that they are of. Without loss, or they would be too few."""
    with TracerRun(contestant, workdir) as run:
        done = loads.churn(events)
        run.settle()
        run.stop()
        if not re.search(r"^0 packets dropped by kernel", run.err.read_text(), re.M):
            return _tcpdump_size(contestant, loads, workdir, events // 2) if events >= 20_000 else (0, 0)
        return os.path.getsize(run.out), done["events"]


def _copy(build, source, target, least):
    done = subprocess.run([str(build / "tests/bench/recording_copy"), str(source), str(target), "--bytes", str(least)],
                          capture_output=True, text=True, check=True, timeout=LIMIT_S)
    return json.loads(done.stdout)


def _seek_ms(program, path, begin_s, end_s):
    """The first event of some moment that is given as --from, from exec to exit, and CPU time. The file is in memory."""
    found = []
    cpu = []
    for i in range(SEEKS):
        moment = begin_s + (end_s - begin_s) * (i + 0.5) / SEEKS
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        done = subprocess.run([program, "-r", str(path), "--from", f"{moment:.6f}", "-c", "1"], capture_output=True,
                              check=True, timeout=LIMIT_S)
        found.append((time.monotonic() - began) * 1e3)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3)
        if not done.stdout:
            raise RuntimeError(f"nothing was found at {moment:.6f}")
    return found, cpu


def _events(quick):
    return 500_000 if quick else 10_000_000


def seconds(quick, pace):
    """What it takes, about: for the plan alone."""
    return pace.load_s(_events(quick)) * (1.3 + (3 if quick else 5) * 0.6) + (5 if quick else 15)


def measure(contestants, loads, build: Path, workdir: Path, quick, say):
    ours = next(c for c in contestants if c.name == "recording")
    events = _events(quick)
    say(f"  {events} events")
    found, records, size, cpu_s, path = _record(ours, loads, workdir, events)
    tcpdump = next((c for c in contestants if c.name == "tcpdump"), None)
    tcpdump_size, tcpdump_events = _tcpdump_size(tcpdump, loads, workdir, events // 10) if tcpdump else (0, 0)
    result = Recording(found, records, size, cpu_s, tcpdump_size, tcpdump_events)
    program = ours.argv[0]
    copy = workdir / "copy.tfr"
    for _ in range(3 if quick else 5):
        result.writer_cpu_s.append(_copy(build, path, copy, 0)["writer_cpu_s"])
        result.read_cpu_s.append(_cpu_s([program, "-r", str(path)]))
        result.filter_cpu_s.append(_cpu_s([program, "-r", str(path), FILTER]))
        result.count_cpu_s.append(_cpu_s([program, "info", str(path)]))
    least = (1 << 26) if quick else (1 << 30)
    say(f"  seeking in {least >> 20} MiB")
    large = _copy(build, path, copy, least)
    result.large_size = large["bytes"]
    result.seek_ms, result.seek_cpu_ms = _seek_ms(program, copy, large["begin_s"], large["end_s"])
    return result
