"""One boot in QEMU, in pure emulation: slow, but the same everywhere."""
import subprocess
from dataclasses import dataclass

# Without cmpxchg16b: QEMU 7.2 leaves nonsense in the flags behind it, and kernels from 6.12 on panic at random. Without
# it, BPF programs get memory for socket storage (kmalloc_nolock, 6.18 and later) only from caches that are debugged.
CPU = "max,cx16=off"
# Without no_timer_check: where the host is busy, the kernel takes the timer for broken, and panics.
PARAMETERS = "no_timer_check console=ttyS0 quiet panic=-1 mitigations=off slub_debug=F"


@dataclass
class Boot:
    console: str
    results: str
    ended: bool  # the job came to its end


def boot(kernel, image, work, seconds, append=""):
    """At most `seconds`; a machine that hangs is killed and what it said until then is returned."""
    console = work / f"{kernel.name}.console"
    results = work / f"{kernel.name}.results"
    command = ["qemu-system-x86_64", "-accel", "tcg,thread=single", "-cpu", CPU, "-smp", "2", "-m", "1536",
               "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
               "-serial", f"file:{console}", "-serial", f"file:{results}", "-kernel", str(kernel.image),
               "-initrd", str(image), "-append", f"{PARAMETERS} {kernel.parameters} {append}"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as machine:
        try:
            said = machine.communicate(timeout=seconds)[1]
        except subprocess.TimeoutExpired:
            machine.kill()
            said = machine.communicate()[1]

    def text(path):
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    return Boot(text(console) + said.decode(errors="replace"), text(results), "job ended with status" in text(console))
