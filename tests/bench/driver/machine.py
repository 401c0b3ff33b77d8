"""The machine: its description, a namespace of our own, CPU times, and how quiet it is."""
import os
import re
import resource
import subprocess
import time
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
CPUS = os.sysconf("SC_NPROCESSORS_ONLN")
PF_KTHREAD = 0x00200000
ISOLATED = "TCPFLIGHT_BENCH_ISOLATED"


def is_isolated():
    return ISOLATED in os.environ


def isolate(argv):
    """Goes on in network and mount namespaces of our own: nothing here can disturb the host, and all of it ends with us.

    Without TIME_WAIT: a busy run would leave a million sockets in it, and each run would be slower than the one before.
    """
    if not is_isolated():
        os.environ[ISOLATED] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", *argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Path("/proc/sys/net/ipv4/tcp_max_tw_buckets").write_text("0")
    if not Path("/sys/kernel/tracing/events").exists():
        # perf and bpftrace need it.
        subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], check=True)


def cpu_seconds(pid):
    """CPU time of a process, all threads, to the nanosecond: as clock_getcpuclockid(3) makes the clock's number."""
    return time.clock_gettime((~pid << 3) | 2)


def tasks_sum(pid, pattern):
    """Adds up a number that /proc/PID/task/*/status has by this pattern."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        total += sum(int(n) for n in re.findall(pattern, status.read_text(), re.M))
    return total


def status_kib(pid, key):
    """A size of /proc/PID/status, KiB; 0: it is ending, and has no memory any more."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{key}:\s+(\d+) kB", text, re.M)
    return int(found.group(1)) if found else 0


def forget_peak(pid):
    """VmHWM counts from here on: proc_pid_clear_refs(5)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def mapped_kib(pid, name):
    """Resident memory of what is mapped under a name that contains this."""
    total = 0
    inside = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            inside = name in line
        elif inside and line.startswith("Rss:"):
            total += int(line.split()[1])
    return total


def children(pid):
    """Processes whose parent it is."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except OSError:
            continue  # ended in the meantime
    return found


def _kernel_threads_s():
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # ended in the meantime
        if int(fields[6]) & PF_KTHREAD:
            total += int(fields[11]) + int(fields[12])
    return total * TICK_S


def _own_s(live_pids):
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return used + sum(cpu_seconds(pid) for pid in live_pids)


class NoiseMeter:
    """How much of the CPUs went to others since it was made: processes that are not ours, and the hypervisor."""

    LIMIT = 0.03  # --noise
    # CPU times in /proc/stat are sampled by ticks.
    SAMPLING_S = 2 * TICK_S

    def __init__(self, live_pids=()):
        self.live_pids = tuple(live_pids)
        self.begin = self._sample()

    def _sample(self):
        fields = [int(n) * TICK_S for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        user, nice, system, _idle, _iowait, _irq, _softirq, steal = fields[:8]
        foreign = user + nice + system - _kernel_threads_s() - _own_s(self.live_pids)
        return time.monotonic(), foreign, steal

    def share(self):
        """0 to 1, of all CPUs."""
        began, foreign_before, steal_before = self.begin
        ended, foreign, steal = self._sample()
        noise_s = max(0.0, foreign - foreign_before - self.SAMPLING_S) + max(0.0, steal - steal_before - self.SAMPLING_S)
        return noise_s / (max(ended - began, 1e-3) * CPUS)


def wait_until_quiet(limit_s=2.0):
    """What a run leaves behind (freed memory, mostly) is worked off before the next one begins."""

    def busy_ticks():
        fields = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        return sum(fields[:3]) + sum(fields[5:8])

    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        before = busy_ticks()
        time.sleep(0.1)  # the interval that is looked at
        if (busy_ticks() - before) * TICK_S <= 0.1 * CPUS * 0.1:
            return


def available_bytes():
    return int(re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1)) * 1024


def cpu_model():
    match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    return match.group(1) if match else os.uname().machine


def is_virtual():
    return " hypervisor" in Path("/proc/cpuinfo").read_text()


def kernel():
    return os.uname().release


def describe():
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    kind = "virtual machine" if is_virtual() else "bare metal"
    return f"{cpu_model()}, {CPUS} cores, {int(memory.group(1)) / 2**20:.0f} GiB, {kind}, Linux {kernel()}"


def package_versions(packages):
    result = subprocess.run(
        ["dpkg-query", "-W", "-f=${db:Status-Status} ${Package} ${Version}\n", *packages],
        capture_output=True, text=True, check=False)
    return [line.split(" ", 1)[1] for line in result.stdout.splitlines() if line.startswith("installed ")]
