"""All measurements of one call of tools/bench, section by section."""
import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Optional

from . import machine, micro, programs, raw, recorded, single
from .contestants import all_contestants, filters
from .loads import Loads, Web
from .plan import OTHERS_START_S, SETTLE_S, Pace, Plan
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
    """Empty where a section was not asked for, or found no time. Rounds are by contestant."""
    verifier: list = field(default_factory=list)
    throughput: dict = field(default_factory=dict)
    ns: dict = field(default_factory=dict)
    latency: dict = field(default_factory=dict)
    start: list = field(default_factory=list)
    idle: Optional[single.Idle] = None
    memory: Optional[single.Memory] = None
    filtered: Optional[Filtered] = None
    micro: list = field(default_factory=list)
    web: dict = field(default_factory=dict)
    recording: Optional[recorded.Recording] = None
    listing: list = field(default_factory=list)


# In the order in which they are run: what counts most comes first, since time can run out.
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
        self.quick = options.quick
        self.failures = {}  # contestant or section > why there is nothing of it
        self.mishaps = []  # rounds that failed, and why
        self.left_out = []  # sections for which there was no time
        self.is_interrupted = False
        self.results = Results()
        self.raw = {}
        self.plan = Plan(options.minutes)
        self.deadline = self.plan.end  # of the section

    def run(self, write):
        """write() after each section: what there is can be kept, whatever happens to the rest."""
        self.check_load()
        self.pace = self.measure_pace()
        for section in SECTIONS:
            if section in self.options.sections:
                self.plan.add(section, getattr(self, f"plan_{section}")())
        say("the plan, minutes and seconds, where nothing has to be repeated:")
        for line in self.plan.lines():
            say(line)
        for section in self.plan.steps:
            if self.plan.left() <= 0 or self.is_interrupted:
                self.left_out.append(section)
                continue
            self.deadline = self.plan.deadline(section)
            self.run_section(section)
            write()
        write()  # what was left out behind the last one

    def run_section(self, section):
        say(f"{section}, {self.plan.left() / 60:.1f} minutes left")
        try:
            result = getattr(self, section)()
            setattr(self.results, section, result)
            self.raw.setdefault(section, raw.plain(result))
        except KeyboardInterrupt:
            self.is_interrupted = True
            self.left_out.append(section)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            self.failures[section] = str(error)
            say(f"  {error}")

    def is_over(self):
        return time.monotonic() > self.deadline

    def _interleave(self, title, load, field, rounds, headline="rate", own_pids=(), beside=None):
        runner = Runner(load, self.workdir, say, headline, own_pids, beside)
        results = runner.interleave(field, rounds, self.deadline)
        self.failures.update(runner.failures)
        self.mishaps += [f"a round of {name} ({title}): {why}" for name, why in runner.mishaps]
        self.is_interrupted = runner.is_interrupted
        self.left_out += [f"{title} of {name}" for name, rounds in results.items() if not rounds and name not in self.failures]
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

    def measure_pace(self):
        began = time.monotonic()
        with TracerRun(self.ours, self.workdir):
            start_s = max(0.1, time.monotonic() - began - SETTLE_S / 2)
        rate = self.loads.churn(200_000)["rate"]
        say(f"untraced {rate / 1e6:.2f} million events a second; tcpflight starts in {start_s:.1f} s")
        return Pace(rate, start_s)

    # Each section, with what it is expected to take, in seconds.

    def plan_verifier(self):
        return self.pace.start_s + SETTLE_S

    def verifier(self):
        figures = programs.VerifierFigures(self.root / "docs/benchmarks/verifier.txt")
        with TracerRun(self.ours, self.workdir) as run:
            found = programs.look_up(run)
        compared = figures.compare(found)
        if self.options.renew_verifier:
            figures.renew(found, machine.kernel())
        return compared

    def plan_throughput(self):
        return self.pace.rounds_s(self.options.rounds, self.field, self.pace.load_s(self.options.events))

    def throughput(self):
        return self._interleave("throughput", lambda: self.loads.churn(self.options.events), self.field,
                                self.options.rounds)

    @property
    def ns_rounds(self):
        return 1 if self.quick else 3

    @property
    def ns_events(self):
        return self.options.events // 4

    def plan_ns(self):
        return self.ns_rounds * self._plan_counted([c for c in self.field if c.is_bpf], self.ns_events)

    def _plan_counted(self, field, events):
        return sum(self.pace.start_of(c) + self.pace.load_s(events) * c.takes for c in field)

    def ns(self):
        return self._count_ns([c for c in self.field if c.is_bpf], self.ns_events, self.ns_rounds, "ns")

    def _count_ns(self, field, events, rounds, title):
        runner = Runner(lambda: self.loads.churn(events), self.workdir, say)
        results = {c.name: [] for c in field if c.name not in self.failures}
        with programs.statistics_on():
            for _ in range(rounds):
                for contestant in field:
                    if contestant.name not in results or self.is_over():
                        continue
                    try:
                        sample = runner.traced(contestant, programs.look_up)
                    except (RuntimeError, OSError) as error:
                        say(f"  {error}")
                        self.mishaps.append(f"a round of {contestant.name} ({title}): {error}")
                        continue
                    results[contestant.name].append(Round(contestant.name, sample, sample, sample))
        self.left_out += [f"{title} of {name}" for name, rounds in results.items() if not rounds]
        self.raw[title] = {name: [asdict(r.traced) for r in rounds] for name, rounds in results.items()}
        return results

    LATENCY_RATE = 5000

    @property
    def latency_s(self):
        return 1 if self.quick else 2

    @property
    def latency_rounds(self):
        return 1 if self.quick else self.options.rounds

    def plan_latency(self):
        return self.pace.rounds_s(self.latency_rounds, [c for c in self.field if c.in_latency], self.latency_s, slowed=False)

    def latency(self):
        return self._interleave("latency", lambda: self.loads.paced(self.LATENCY_RATE, self.latency_s),
                                [c for c in self.field if c.in_latency], self.latency_rounds, headline="p99_us")

    @property
    def start_repeats(self):
        return 3 if self.quick else 11

    def plan_start(self):
        return 2 * 2 * self.start_repeats * (self.pace.start_s + 0.1) + 3

    def start(self):
        return [single.start(self.ours.argv, self.loads, sockets, self.start_repeats) for sockets in (0, 10_000)]

    @property
    def idle_s(self):
        return 1 if self.quick else 6  # above the five seconds after which tcpflight looks at the sockets again

    def plan_idle(self):
        return len(self.field) * (OTHERS_START_S + SETTLE_S / 2) + 6 * self.idle_s + 3

    def idle(self):
        field = [c for c in self.field if c.name not in self.failures]
        return single.idle(field, self.loads, self.workdir, self.idle_s, 1000, self.failures)

    @property
    def memory_sockets(self):
        if self.quick:
            return 20_000
        # A socket takes the kernel some 3 KiB, its file included.
        return 1_000_000 if machine.available_bytes() > 8 << 30 else 100_000

    def plan_memory(self):
        return self.pace.start_s + 4 + self.memory_sockets / 40_000

    def memory(self):
        return single.memory(self.ours, self.loads, self.workdir, self.memory_sockets)

    # Differences are small here: many short runs.
    @property
    def filter_events(self):
        return self.options.events // 5

    @property
    def filter_rounds(self):
        return 3 * self.options.rounds

    def plan_filtered(self):
        empty, flag, field = filters(self.options.build)
        each = self.pace.load_s(self.filter_events)
        return (self.pace.rounds_s(self.filter_rounds, [flag, *field], each) +
                self.filter_rounds * len([flag, *field]) * self.pace.start_of(empty) +
                self.ns_rounds * self._plan_counted([empty, flag, *field], self.ns_events))

    def filtered(self):
        empty, flag, field = filters(self.options.build)
        everyone = [empty, flag, *field]
        ns = self._count_ns(everyone, self.ns_events, self.ns_rounds, "ns of filters")
        rounds = self._interleave("filtered", lambda: self.loads.churn(self.filter_events), [flag, *field],
                                  self.filter_rounds, "per_cpu_s", beside=empty)
        return Filtered(everyone, rounds, ns)

    def plan_micro(self):
        return micro.seconds(self.quick, self.options.long)

    def micro(self):
        return micro.run(self.options.build, say, self.quick, self.options.long, self.is_over, self.left_out)

    @property
    def web_s(self):
        return 1 if self.quick else 2

    @property
    def web_rounds(self):
        return 1 if self.quick else self.options.rounds

    def plan_web(self):
        return self.pace.rounds_s(self.web_rounds, [c for c in self.field if c.in_web], self.web_s, slowed=False)

    def web(self):
        if not (shutil.which("nginx") and shutil.which("wrk")):
            self.missing.append("nginx and wrk")
            return {}
        with Web() as server:
            return self._interleave("web", lambda: server.run(self.web_s), [c for c in self.field if c.in_web],
                                    self.web_rounds, own_pids=server.pids())

    def plan_recording(self):
        return recorded.seconds(self.quick, self.pace)

    def recording(self):
        return recorded.measure(self.everyone, self.loads, self.options.build, self.workdir, self.quick, say)

    @property
    def listing_repeats(self):
        return 1 if self.quick else 7

    def plan_listing(self):
        return self.listing_repeats * 6 + 6

    def listing(self):
        if not shutil.which("ss"):
            self.missing.append("ss")
            return []
        program = self.ours.argv[0]
        return [single.listing([program, "list", "--wide"], self.loads, sockets, self.listing_repeats)
                for sockets in (0, 1000, 10_000, 50_000)]
