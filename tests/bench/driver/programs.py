"""What the kernel knows of the BPF programs: their run time, and what verifying them cost."""
import json
import subprocess
from contextlib import contextmanager
from pathlib import Path

STATS = Path("/proc/sys/kernel/bpf_stats_enabled")


@contextmanager
def statistics_on():
    """Costs some 30 ns a run itself, so never during other measurements."""
    before = STATS.read_text()
    STATS.write_text("1")
    try:
        yield
    finally:
        STATS.write_text(before)


def _on_perf_events(pid):
    """Programs that a process keeps through perf events alone."""
    done = subprocess.run(["bpftool", "-j", "perf", "show"], capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        return {}
    return {entry["prog_id"]: None for entry in json.loads(done.stdout) if entry.get("pid") == pid}


def look_up(run):
    """{name: {"runs", "ns", "verified"}} of the programs that a tracer holds."""
    programs = {}
    for number, verified in {**_on_perf_events(run.pid), **run.bpf_programs()}.items():
        done = subprocess.run(["bpftool", "-j", "prog", "show", "id", str(number)], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            continue  # unloaded in the meantime
        info = json.loads(done.stdout)
        programs[info.get("name", str(number))] = {
            "runs": info.get("run_cnt", 0), "ns": info.get("run_time_ns", 0), "verified": verified}
    return programs


class VerifierFigures:
    """Instructions that the verifier processed, program by program, against the committed figures."""

    HEADER = ("# Instructions that the verifier processed to load each program: what loading costs, and how near the\n"
              "# limit of a million is. Another kernel counts differently. Renewed by: tools/bench --renew-verifier\n")

    def __init__(self, path: Path):
        self.path = path

    def committed(self):
        if not self.path.exists():
            return {}
        lines = [line.split() for line in self.path.read_text().splitlines() if line and not line.startswith("#")]
        return {name: int(count) for name, count in lines}

    @staticmethod
    def measured(programs):
        return {name: p["verified"] for name, p in sorted(programs.items()) if p["verified"]}

    def compare(self, programs):
        """[(name, now, committed or None)]"""
        committed = self.committed()
        return [(name, now, committed.get(name)) for name, now in self.measured(programs).items()]

    def renew(self, programs, kernel):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{name} {count}\n" for name, count in self.measured(programs).items()]
        self.path.write_text(f"{self.HEADER}# Linux {kernel}\n{''.join(lines)}")
