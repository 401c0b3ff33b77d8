"""How long a run will take, section by section, and when each has to be over."""
import time
from dataclasses import dataclass

# Seconds: until the machine is quiet again after a run; until a tracer is seen to do nothing any more, twice a run, and
# has ended; until one of the others is ready.
QUIET_S = 0.3
SETTLE_S = 0.7
OTHERS_START_S = 0.4
# A section may take so much longer than planned: rounds that others spoiled are repeated.
PATIENCE = 1.4


@dataclass
class Pace:
    """Measured before anything else."""
    events_per_s: float  # of the load, untraced
    start_s: float  # of tcpflight

    def load_s(self, events):
        return events / self.events_per_s

    def start_of(self, contestant):
        return (self.start_s if contestant.is_ours else OTHERS_START_S) + SETTLE_S

    def rounds_s(self, rounds, field, untraced_s, slowed=True):
        """Of interleaved rounds. `slowed`: the load is as long as the tracer makes it, and not so many seconds."""
        each = [2 * QUIET_S + self.start_of(c) + untraced_s * (1 + (c.takes if slowed else 1)) for c in field]
        return rounds * sum(each)


class Plan:
    """Sections in their order, the one that counts most first. A section that finds no time left is left out."""

    def __init__(self, minutes):
        self.began = time.monotonic()
        self.end = self.began + minutes * 60
        self.steps = {}  # section > seconds

    def add(self, section, seconds):
        self.steps[section] = seconds

    @property
    def seconds(self):
        return sum(self.steps.values())

    def left(self):
        return self.end - time.monotonic()

    def deadline(self, section):
        """It gets what it needs and some more, or its part of what is left where that is larger."""
        names = list(self.steps)
        own = self.steps[section]
        rest = sum(self.steps[name] for name in names[names.index(section):])
        share = self.left() * own / rest if rest else self.left()
        return min(self.end, time.monotonic() + max(own * PATIENCE, share))

    def lines(self):
        for section, seconds in self.steps.items():
            yield f"  {section:<12} {_clock(seconds)}"
        yield f"  {'together':<12} {_clock(self.seconds)} of {_clock(self.end - self.began)}"


def _clock(seconds):
    return f"{int(seconds) // 60:3d}:{int(seconds) % 60:02d}"
