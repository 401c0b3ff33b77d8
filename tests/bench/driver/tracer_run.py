"""One run of a contestant: from its start until it is stopped."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from . import machine

READY_LIMIT_S = 20
DRAIN_LIMIT_S = 30


class TracerRun:
    """Use as a context manager: the process never outlives it."""

    def __init__(self, contestant, workdir: Path):
        self.contestant = contestant
        self.out = workdir / "out"
        self.err = workdir / "err"
        self.start_kib = 0  # the most memory before it had a ring

    def __enter__(self):
        self.out.unlink(missing_ok=True)
        stdout = self.out if self.contestant.to_stdout else os.devnull
        with open(stdout, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(self.contestant.command(self.out), stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        self.cpu_at_start = machine.cpu_seconds(self.pid)
        machine.forget_peak(self.pid)
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    def _fail(self, what):
        name = self.contestant.name
        raise RuntimeError(f"{name} {what}: {self.err.read_text(errors='replace').strip() or 'it said nothing'}")

    def _is_attached(self):
        if self.contestant.ready:
            return self.contestant.ready in self.err.read_text(errors="replace")
        return any(re.search(self.contestant.handles, target) for target in self._handles().values())

    def _handles(self):
        handles = {}
        for fd in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                handles[fd.name] = os.readlink(fd)
            except OSError:
                pass  # closed in the meantime
        return handles

    def _wait_until_ready(self):
        deadline = time.monotonic() + READY_LIMIT_S
        while not self._is_attached():
            peak = self.peak_kib()
            if not self.ring_kib():
                self.start_kib = peak
            if self.process.poll() is not None:
                self._fail(f"ended with {self.process.returncode}")
            if time.monotonic() > deadline:
                self._fail(f"was not ready after {READY_LIMIT_S} s")
            time.sleep(0.005)
        self.settle(READY_LIMIT_S)

    def settle(self, limit_s=DRAIN_LIMIT_S):
        """Waits until it does nothing any more, which is when it has read all that there was."""
        deadline = time.monotonic() + limit_s
        still = 0
        last = machine.cpu_seconds(self.pid)
        while still < 4 and time.monotonic() < deadline:
            time.sleep(0.03)
            if self.process.poll() is not None:
                self._fail(f"ended with {self.process.returncode}")
            now = machine.cpu_seconds(self.pid)
            still = still + 1 if now - last < 0.0002 else 0
            last = now

    def cpu_s(self):
        """Since it was ready."""
        return machine.cpu_seconds(self.pid) - self.cpu_at_start

    def peak_kib(self):
        """The most resident memory since it was ready; before that, since its begin."""
        return machine.status_kib(self.pid, "VmHWM")

    def ring_kib(self):
        """What is mapped of BPF maps, the ring above all: its data are mapped twice, one behind the other."""
        return machine.mapped_kib(self.pid, "bpf-map")

    def children(self):
        return machine.children(self.pid)

    def bpf_programs(self):
        """{id: verified instructions or None} of the BPF programs that it holds."""
        programs = {}
        for fd, target in self._handles().items():
            if "bpf" not in target and "perf_event" not in target:
                continue
            try:
                info = Path(f"/proc/{self.pid}/fdinfo/{fd}").read_text()
            except OSError:
                continue
            number = re.search(r"^prog_id:\s+(\d+)", info, re.M)
            if number:
                verified = re.search(r"^verified_insns:\s+(\d+)", info, re.M)
                known = programs.get(int(number.group(1)))
                programs[int(number.group(1))] = int(verified.group(1)) if verified else known
        return programs

    def stop(self):
        """Ends it as Ctrl-C would. Its output is whole afterwards."""
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
