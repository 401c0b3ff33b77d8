"""All measurements of one call of tools/bench, section by section."""
import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Optional

from . import machine, micro, programs, recorded, single
from .contestants import all_contestants, filters
from .loads import Loads, Web
from .rounds import Round, Runner
from .tracer_run import TracerRun


@dataclass
class Filtered:
    """Filters, between runs of an empty program."""
    field: list  # the empty program and the floor, then the filters
    rounds: dict  # of the filters
    ns: dict


@dataclass
class Results:
    """Empty where a section was not asked for. Rounds are by contestant."""
    verifier: list = field(default_factory=list)
    throughput: dict = field(default_factory=dict)
    ns: dict = field(default_factory=dict)
    filtered: Optional[Filtered] = None
    latency: dict = field(default_factory=dict)
    web: dict = field(default_factory=dict)
    idle: dict = field(default_factory=dict)
    start: list = field(default_factory=list)
    listing: list = field(default_factory=list)
    memory: Optional[single.Memory] = None
    recording: Optional[recorded.Recording] = None
    micro: list = field(default_factory=list)


# In the order in which they are run.
SECTIONS = tuple(Results.__dataclass_fields__)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Session:
    def __init__(self, options, root, workdir):
        self.options = options
        self.root = root
        self.workdir = workdir
        self.loads = Loads(options.build)
        everyone, self.missing = all_contestants(options.build)
        unknown = [n for n in options.only if n not in [c.name for c in everyone] + self.missing]
        if unknown:
            sys.exit(f"tcpflight: bench: there is no contestant {unknown[0]}: give {', '.join(c.name for c in everyone)}")
        self.everyone = everyone
        self.field = [c for c in everyone if not options.only or c.name in options.only]
        self.ours = next((c for c in everyone if c.name == "text"))
        self.deadline = time.monotonic() + options.minutes * 60
        self.quick = options.quick
        self.failures = {}
        self.raw = {}

    def run(self):
        self.check_load()
        results = Results()
        for section in SECTIONS:
            if section in self.options.sections:
                setattr(results, section, getattr(self, section)())
        return results

    def _until(self, share):
        now = time.monotonic()
        return now + max(0.0, self.deadline - now) * share

    def _interleave(self, title, load, field, rounds, share, headline="rate", own_pids=()):
        """`share` of the time that is left."""
        say(title)
        runner = Runner(load, self.workdir, say, headline, own_pids)
        results = runner.interleave(field, rounds, self._until(share))
        self.failures.update(runner.failures)
        self.raw[title] = {name: [asdict(r) for r in rounds] for name, rounds in results.items()}
        return results

    def check_load(self):
        """The load's own count of events is the truth for all others: is it true?"""
        if not shutil.which("bpftrace"):
            return
        script = ("tracepoint:sock:inet_sock_set_state /args->protocol == 6 && ((args->saddr[0] == 127 && args->saddr[1] "
                  "== 1) || (args->daddr[0] == 127 && args->daddr[1] == 1))/ { @events = count(); }")
        command = ["bpftrace", "-e", script, "-c", f"{self.loads.program} --here churn --workers 1 --events 20000"]
        for _ in range(3):
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            lines = done.stdout.splitlines()
            said = next((json.loads(line)["events"] for line in lines if line.startswith("{")), None)
            counted = next((int(line.split()[1]) for line in lines if line.startswith("@events:")), None)
            if said is None or counted is None:
                raise RuntimeError(f"the load could not be checked: {done.stderr.strip()}")
            # The two of the listener, on all addresses, are not in the count.
            if counted == said - 2:
                return
            if counted < said - 2:
                break
        raise RuntimeError(f"the load says {said - 2} events, the tracepoint {counted}: is another load running?")

    def throughput(self):
        return self._interleave("throughput", lambda: self.loads.churn(self.options.events), self.field,
                                self.options.rounds, 0.55)

    def ns(self):
        field = [c for c in self.field if c.is_bpf]
        say("nanoseconds in BPF")
        runner = Runner(lambda: self.loads.churn(self.options.events), self.workdir, say)
        results = {c.name: [] for c in field}
        with programs.statistics_on():
            for _ in range(1 if self.quick else 3):
                for contestant in field:
                    sample = runner.traced(contestant, programs.look_up)
                    results[contestant.name].append(Round(contestant.name, sample, sample, sample))
        return results

    def filtered(self):
        empty, flag, field = filters(self.options.build)
        # Many short runs: what else happens on the machine then meets few of them.
        load = lambda: self.loads.churn(self.options.events // 5)  # noqa: E731
        repeats = 2 if self.quick else 3
        say("filters, beside an empty program")
        runner = Runner(load, self.workdir, say, "per_cpu_s", beside=empty)
        rounds = runner.interleave(field, self.options.rounds * repeats, self._until(0.4))
        self.failures.update(runner.failures)
        self.raw["filtered"] = {name: [asdict(r) for r in found] for name, found in rounds.items()}
        say("nanoseconds of filters")
        everyone = [empty, flag, *field]
        ns = {c.name: [] for c in everyone}
        with programs.statistics_on():
            for _ in range(repeats):
                for contestant in everyone:
                    sample = Runner(load, self.workdir, say).traced(contestant, programs.look_up)
                    ns[contestant.name].append(Round(contestant.name, sample, sample, sample))
        return Filtered(everyone, rounds, ns)

    def latency(self):
        seconds = 1 if self.quick else 3
        field = [c for c in self.field if c.in_latency]
        return self._interleave("latency", lambda: self.loads.paced(2000, seconds), field,
                                1 if self.quick else self.options.rounds, 0.5, headline="p99_us")

    def web(self):
        if not (shutil.which("nginx") and shutil.which("wrk")):
            self.missing.append("nginx and wrk")
            return {}
        field = [c for c in self.field if c.in_web]
        with Web() as server:
            return self._interleave("web server", lambda: server.run(1 if self.quick else 3), field,
                                    1 if self.quick else self.options.rounds, 0.6, own_pids=server.pids())

    def idle(self):
        say("at rest")
        return {c.name: single.idle_wakeups(c, self.workdir, 1 if self.quick else 5) for c in self.field
                if c.name not in self.failures}

    def start(self):
        say("start")
        repeats = 3 if self.quick else 15
        return [single.start(self.ours.argv, self.loads, sockets, repeats) for sockets in (0, 10_000)]

    def listing(self):
        say("listing")
        if not shutil.which("ss"):
            self.missing.append("ss")
            return []
        program = self.ours.argv[0]
        return [single.listing([program, "list", "--wide"], self.loads, sockets, 3 if self.quick else 15)
                for sockets in (0, 1000, 10_000, 50_000)]

    def memory(self):
        say("memory")
        return single.memory(self.ours, self.loads, self.workdir, 20_000 if self.quick else 100_000)

    def recording(self):
        say("a recording")
        result = recorded.measure(self.everyone, self.loads, self.options.build, self.workdir, self.quick, say)
        self.raw["recording"] = asdict(result)
        return result

    def micro(self):
        say("micro benchmarks")
        return micro.run(self.options.build, say, self.quick, self.options.long)

    def verifier(self):
        figures = programs.VerifierFigures(self.root / "docs/benchmarks/verifier.txt")
        with TracerRun(self.ours, self.workdir) as run:
            found = programs.look_up(run)
        if self.options.renew_verifier:
            figures.renew(found, machine.kernel())
        return figures.compare(found)

