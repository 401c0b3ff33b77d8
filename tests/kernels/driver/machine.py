"""One boot in QEMU, in pure emulation: slow, but the same everywhere."""
import os
import signal
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """How QEMU has one of Debian's architectures."""
    command: tuple
    console: str  # the kernel's name of the first serial port
    results: str  # and of the second
    port: tuple = ("-serial", "chardev:results")  # the second one


MACHINES = {
    # Without cmpxchg16b: QEMU 7.2 leaves nonsense in the flags behind it, and kernels from 6.12 on panic at random. Without
    # it, BPF programs get memory for socket storage (kmalloc_nolock, 6.18 and later) only from caches that are debugged.
    # Without erms: QEMU runs `rep stosb`, by which kernels then clear pages, byte by byte. Without la57: a level of page
    # tables less to walk.
    "amd64": Machine(("qemu-system-x86_64", "-cpu", "max,cx16=off,erms=off,la57=off"), "ttyS0", "ttyS1"),
    # Not `max`, which computes pointer authentication. The second port is a card, and so another driver's first one.
    "arm64": Machine(("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72"), "ttyAMA0", "ttyS0",
                     ("-device", "pci-serial,chardev=results")),
}
# The machine's time is what it has done, one nanosecond an instruction, and jumps where it only waits. So a busy host makes
# a run longer, but no segment late; and waiting costs nothing.
CLOCK = ("-icount", "shift=0,sleep=off", "-rtc", "clock=vm")
# Without no_timer_check: where the host is busy, the kernel takes the timer for broken, and panics.
PARAMETERS = "no_timer_check quiet panic=-1 mitigations=off slub_debug=F init_on_alloc=0"


@dataclass
class Boot:
    console: str
    results: str
    ended: bool  # the job came to its end


_running = set()


def stop_all_when_told():
    """SIGTERM ends the machines too, which would go on without anybody to read them."""
    def stop(number, _frame):
        for process in list(_running):
            process.kill()
        os._exit(128 + number)  # the threads that wait for them would try the next kernel
    signal.signal(signal.SIGTERM, stop)


def boot(kernel, image, work, seconds, append=""):
    """At most `seconds`; a machine that hangs is killed and what it said until then is returned."""
    machine = MACHINES[kernel.architecture]
    console = work / f"{kernel.name}.console"
    results = work / f"{kernel.name}.results"
    parameters = f"console={machine.console} {PARAMETERS} RESULTS=/dev/{machine.results} {kernel.parameters} {append}"
    ports = ["-serial", f"file:{console}", "-chardev", f"file,id=results,path={results}", *machine.port]
    command = [*machine.command, "-accel", "tcg,thread=single", *CLOCK, "-smp", "1", "-m", "1536",
               "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", *ports,
               "-kernel", str(kernel.image), "-initrd", str(image), "-append", parameters]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        _running.add(process)
        try:
            said = process.communicate(timeout=seconds)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[1]
        finally:
            _running.discard(process)

    def text(path):
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    return Boot(text(console) + said.decode(errors="replace"), text(results), "job ended with status" in text(console))
