"""Interleaved rounds: each contestant runs between two untraced runs, and is compared with those alone."""
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from typing import Optional

from . import machine
from .tracer_run import TracerRun

# A round that something foreign spoiled is run again so often, and then kept, marked.
ATTEMPTS = 3
# Behind the deadline, so that everybody has one round.
GRACE_S = 20


@dataclass
class Sample:
    """One run of the load, watched by a contestant or by none."""
    load: dict
    noise: float  # share of the CPUs that others took, 0 to 1
    cpu_s: Optional[float] = None
    start_kib: Optional[int] = None  # the most memory before there was a ring
    peak_kib: Optional[int] = None  # the most memory since then
    ring_kib: Optional[int] = None  # of that, the ring's
    output_bytes: Optional[int] = None
    seen: Optional[object] = None
    programs: dict = field(default_factory=dict)

    @property
    def is_spoiled(self):
        return self.noise > machine.NoiseMeter.LIMIT

    @property
    def highest_kib(self):
        return max(self.start_kib, self.peak_kib)

    @property
    def highest_without_ring_kib(self):
        return max(self.start_kib, self.peak_kib - self.ring_kib)


@dataclass
class Round:
    contestant: str
    traced: Sample
    before: Sample
    after: Sample

    @property
    def is_spoiled(self):
        return any(sample.is_spoiled for sample in (self.before, self.traced, self.after))

    def ratio(self, key="rate"):
        beside = (self.before.load[key] + self.after.load[key]) / 2
        return self.traced.load[key] / beside


class Spread:
    """Median, minimum and maximum."""

    def __init__(self, values):
        self.values = sorted(values)

    def __bool__(self):
        return bool(self.values)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def low(self):
        return self.values[0]

    @property
    def high(self):
        return self.values[-1]


class Runner:
    """Runs rounds of one load until they are done or the time is over."""

    def __init__(self, load, workdir, say, headline="rate", own_pids=(), beside=None):
        self.load = load
        self.beside = beside  # the contestant of the runs before and after; None: they are untraced
        self.headline = headline  # the result that is told while it runs
        self.workdir = workdir
        self.say = say
        self.own_pids = tuple(own_pids)
        self.failures = {}  # contestant > why it takes no further part
        self.mishaps = []  # rounds that failed, and why
        self.is_interrupted = False

    def untraced(self):
        if self.beside:
            return self.traced(self.beside)
        machine.wait_until_quiet()
        noise = machine.NoiseMeter(self.own_pids)
        result = self.load()
        return Sample(result, noise.share())

    def traced(self, contestant, inspect=None):
        machine.wait_until_quiet()
        with TracerRun(contestant, self.workdir) as run:
            noise = machine.NoiseMeter((*self.own_pids, run.pid))
            result = self.load()
            sample = Sample(result, noise.share())
            run.settle()
            sample.cpu_s = run.cpu_s()
            sample.start_kib, sample.peak_kib, sample.ring_kib = run.start_kib, run.peak_kib(), run.ring_kib()
            if inspect:
                sample.programs = inspect(run)
            run.stop()
            sample.output_bytes = run.out.stat().st_size if run.out.exists() else 0
            sample.seen = contestant.see(run.out, run.err, result)
            run.out.unlink(missing_ok=True)
        return sample

    def interleave(self, contestants, rounds, deadline):
        """All of them once, then again: a slow change of the machine meets all alike. Returns the rounds, by name."""
        done = {contestant.name: [] for contestant in contestants}
        try:
            self._rounds(contestants, rounds, deadline, done)
        except KeyboardInterrupt:
            self.is_interrupted = True
        return done

    def _rounds(self, contestants, rounds, deadline, done):
        before = self.untraced()
        for number in range(rounds):
            first = number % max(1, len(contestants))  # nobody always runs after the same one
            for contestant in contestants[first:] + contestants[:first]:
                late_s = time.monotonic() - deadline
                if late_s > 0 and (done[contestant.name] or late_s > GRACE_S):
                    continue
                if contestant.name in self.failures:
                    continue
                try:
                    round_ = self._one_round(contestant, before, deadline)
                except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                    self._note(contestant, error)
                    continue
                before = round_.after
                done[contestant.name].append(round_)
                self.say(self._line(number, rounds, round_))

    def _note(self, contestant, error):
        """Who fails again and again takes no further part."""
        self.say(f"  {error}")
        self.mishaps.append((contestant.name, str(error)))
        if sum(name == contestant.name for name, _ in self.mishaps) == ATTEMPTS:
            self.failures[contestant.name] = str(error)

    def _one_round(self, contestant, before, deadline):
        for _ in range(ATTEMPTS):
            round_ = Round(contestant.name, self.traced(contestant), before, self.untraced())
            if not round_.is_spoiled or time.monotonic() > deadline:
                break
            before = self.untraced() if round_.after.is_spoiled else round_.after
        return round_

    def _line(self, number, rounds, round_):
        noise = max(round_.before.noise, round_.traced.noise, round_.after.noise)
        mark = f"  spoiled: others took {noise:.0%} of the CPUs" if round_.is_spoiled else ""
        return f"  round {number + 1}/{rounds}  {round_.contestant:<10} {round_.ratio(self.headline):.3f}{mark}"
