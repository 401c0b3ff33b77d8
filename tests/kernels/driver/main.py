"""tools/kernels: the live scenarios on other kernels, booted in QEMU."""
import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import archive, btf, image, machine, relocations, report, types, userland

ROOT = Path(__file__).resolve().parents[3]
LIST = ROOT / "tests/kernels/kernels.list"
ARGUMENTS = ROOT / "tests/kernels/arguments.list"

# What CI runs: the states, the ends, the owners, the retransmissions, and what a user may do.
CORE = "Close.*:Failure.*:Owner.*:Retransmission.*:Live/Families.*:Hardening.*"

# What is run again in each lower layer: where programs differ.
LAYERED = "Close.*:Accepted.*:Addresses/Resets.*IPv4:Live/Families.*IPv4"

JOB = """
# The first line that is not empty is what it listens with, or why it does not.
hooks()
{{
    rm -f /tmp/err
    {tcpflight} --layer ${{1:-fentry}} -c 1 >/tmp/out 2>/tmp/err &
    for i in $(seq 60); do
        grep -q . /tmp/err && break
        sleep 1
    done
    sed -n 's/.*hooks: //; 1p' /tmp/err >/tmp/hooks
    kill -INT $! 2>/dev/null
    wait
}}
# try LAYER FILTER
try()
{{
    echo
    echo "== $1"
    echo "== $1" >&3
    rm -f /tmp/report.json /tmp/log /tmp/hooks
    [ -z "$1" ] || export TCPFLIGHT_TEST_LAYER=$1
    {no_tests} || {live_test} --gtest_filter="$2" --gtest_output=json:/tmp/report.json | tee /tmp/log
    # Tests that share a tracer say what it hangs on.
    [ ! -f /tmp/report.json ] || sed -n 's/.*"hooks": "\\([^"]*\\)".*/\\1/p' /tmp/report.json >/tmp/hooks
    [ -s /tmp/hooks ] || hooks "$1"
    echo "$(cat /tmp/hooks)" >&3
    if grep -q 'cannot load' /tmp/hooks; then
        {tcpflight} --layer "${{1:-fentry}}" -v -v -c 1 2>&1 | tail -n 80
        return
    fi
    {no_tests} && return
    cat /tmp/report.json >&3
    # A few once more.
    failed=$(sed -n 's/^\\[  FAILED  \\] \\([^ ,]*\\).* ms)$/\\1/p' /tmp/log | sort -u)
    case $(echo "$failed" | grep -c .) in
        1|2|3) ;;
        *) return ;;
    esac
    rm -f /tmp/again.json
    {live_test} --gtest_filter="$(echo "$failed" | tr '\\n' ':')" --gtest_output=json:/tmp/again.json
    echo "-- again" >&3
    cat /tmp/again.json >&3
}}
cd /tmp
export TCPFLIGHT_TEST_PATIENCE=3 TCPFLIGHT_TEST_SHARED=1
try '' '{filter}'
# Locked down like that, lower layers do not tell who accepted: Live/Layers has what they tell.
grep -q '\\[confidentiality\\]' /sys/kernel/security/lockdown 2>/dev/null && exit
case {layers}$(cat /tmp/hooks) in
    true*fentry*) try kprobe '{layered}'; try core '{layered}' ;;
    true*kprobe*) try core '{layered}' ;;
esac
"""


def say(text):
    print(f"tcpflight: kernels: {text}", file=sys.stderr, flush=True)


def parse_arguments(argv, known):
    parser = argparse.ArgumentParser(prog="tools/kernels", description="Boots kernels of Debian's archive in QEMU, runs the "
                                     "live scenarios on each and prints a table. Exit status 1 if one failed.")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help="of tests/kernels/kernels.list; default: all: "
                        + ", ".join(known))
    parser.add_argument("--filter", help="GoogleTest's filter of scenarios (default: all)")
    parser.add_argument("--core", dest="filter", action="store_const", const=CORE, help="only the scenarios of CI")
    parser.add_argument("--layers", action="store_true", help="run the scenarios in which programs differ in each lower layer "
                        "too (with --filter: those)")
    parser.add_argument("--types", action="store_true", help="boot nothing; hold what the BPF programs read against each "
                        "kernel's BTF")
    parser.add_argument("--build", type=Path, help="a build folder with the tests, used as it is (default: build, which is "
                        "brought up to date); the tracer is BUILD/static/tcpflight, if it is there")
    parser.add_argument("--cache", type=Path, help="kernels are kept here (default: BUILD/kernels)")
    parser.add_argument("--seconds", type=int, default=600, help="at most, a kernel (default 600)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="kernels at a time (default: one a CPU, which "
                        "is what emulating one takes)")
    parser.add_argument("--append", default="", help="added to the kernel's command line")
    parser.add_argument("--out", type=Path, help="write the table here, as a page")
    parser.add_argument("--results", type=Path, help="append a line for each scenario, for tools/test")
    options = parser.parse_args(argv)
    for kernel in options.kernels:
        if kernel not in known:
            parser.error(f"there is no kernel '{kernel}' in the list: give one of {', '.join(known)}")
    options.is_built_here = not options.build
    if options.is_built_here:
        options.build = ROOT / "build"
        builds = [["tools/build"]] if options.types else [["tools/build", "--tests"], ["tools/build", "--static"]]
        for command in (["tools/install-deps", "test", "kernels"], *builds):
            if subprocess.run([ROOT / command[0], *command[1:]], check=False).returncode != 0:
                sys.exit(1)
    options.build = options.build.absolute()
    options.cache = (options.cache or options.build / "kernels").absolute()
    return options


def tell(options, verdict, name, reason=""):
    """A line for tools/test."""
    if options.results:
        with open(options.results, "a", encoding="utf-8") as out:
            out.write(f"{verdict}\tkernels/{name}\t{reason}\n")


def tell_all(options, outcome):
    if outcome.trouble:
        tell(options, "FAIL", outcome.name, outcome.trouble)
    for name, result in outcome.tests.items():
        verdict = {"passed": "PASS", "failed": "FAIL", "skipped": "SKIP"}[result]
        tell(options, verdict, f"{outcome.name}/{name}", outcome.details[name].partition("\n")[0])


def try_kernel(kernel, options, work):
    is_own = kernel.architecture == "amd64"
    build = options.build if is_own else options.build / kernel.architecture
    tcpflight = build / "tcpflight"
    static = build / "static/tcpflight"
    tools = userland.Own() if is_own else userland.Foreign(build / "userland")
    layered = LAYERED
    if options.filter not in (None, CORE):
        # Hardening keeps to no layer.
        layered = options.filter + (":" if "-" in options.filter else "-") + "Hardening.*"
    filters = {"filter": options.filter or "*", "layered": layered}
    job = JOB.format(tcpflight=tcpflight, live_test=build / "tests/live/live_test",
                     layers="true" if options.layers else "false", no_tests="true" if kernel.is_refused else "false",
                     **{key: text.replace("'", "") for key, text in filters.items()})
    live_test = build / "tests/live/live_test"
    programs = {static if static.exists() else tcpflight: tcpflight, live_test: live_test,
                **{tools.find(tool): f"/usr/bin/{tool}" for tool in userland.TOOLS}}
    begin = time.monotonic()
    initramfs = image.build(kernel, tools, programs, [ROOT / "docs/json.md"], job, work)
    boot = machine.boot(kernel, initramfs, work, options.seconds, options.append)
    initramfs.unlink()
    outcomes = report.parse(kernel, boot)
    for outcome in outcomes:
        say(f"{report.line(outcome)} ({time.monotonic() - begin:.0f} s)")
        if outcome.trouble:
            print(boot.console[-3000:], file=sys.stderr)
        for name, result in outcome.tests.items():
            if result == "failed":
                print(f"== {outcome.name} {name}\n{outcome.details[name][:2000]}", file=sys.stderr)
    return outcomes


def check_types(kernels, options):
    """Whether each kernel has what the programs read of it."""
    program = relocations.Program((options.build / "bpf/programs.bpf.o").read_bytes())
    places = types.read_arguments(ARGUMENTS)
    is_right = True
    for kernel in kernels:
        try:
            findings = types.check(program, btf.Btf(types.btf_of(kernel).read_bytes()), places)
        except btf.Malformed as error:
            findings = types.Findings([str(error)])
        # One that is too old may lack anything. How little that is says something of those between it and the next.
        is_right = is_right and (kernel.is_refused or not findings.objections)
        say(f"{kernel.name} ({kernel.release}): {'types are not right' if findings.objections else 'types are right'}, "
            f"{findings.checked} relocations" + (f"; it lacks {', '.join(findings.missing)}" if findings.missing else ""))
        for objection in findings.objections:
            print(f"  {objection}", file=sys.stderr)
        if not kernel.is_refused:
            tell(options, "FAIL" if findings.objections else "PASS", f"{kernel.name}/Types", "; ".join(findings.objections))
    return is_right


def fetch_kernels(rows, options):
    kernels = []
    for name, suite, *package in rows:
        if options.kernels and name not in options.kernels:
            continue
        try:
            kernels.append(archive.Suite(suite, options.cache, archive.architecture_of(package[0])).fetch(name, *package))
        except (archive.Unreachable, subprocess.CalledProcessError) as error:
            say(f"{name} is skipped: {error}")
            tell(options, "SKIP", name, str(error))
    if not kernels:
        sys.exit("tcpflight: kernels: no kernel could be fetched")
    return kernels


def can_be_booted(kernel, options):
    """For another architecture than this machine's, the programs are built and the tools fetched first."""
    foreign = options.build / kernel.architecture
    if kernel.architecture == "amd64" or (foreign / "ready").exists() and not options.is_built_here:
        return True
    reason = f"{foreign} holds nothing for it: leave out --build"
    if options.is_built_here:
        reason = "what runs there could not be built"
        try:
            if subprocess.run([ROOT / "tools/install-deps", "arm64"], check=False).returncode == 0:
                userland.fetch(options.cache, foreign, kernel.architecture)
                if subprocess.run([ROOT / "tools/build", "--arm64", "tcpflight", "live_test"], check=False).returncode == 0:
                    (foreign / "ready").touch()
                    return True
        except (archive.Unreachable, subprocess.CalledProcessError) as error:
            reason = str(error)
    say(f"{kernel.name} is skipped: {reason}")
    tell(options, "SKIP", kernel.name, reason)
    return False


def main(argv):
    rows = archive.read_list(LIST)
    options = parse_arguments(argv, [row[0] for row in rows])
    machine.stop_all_when_told()
    kernels = fetch_kernels(rows, options)
    if options.types:
        sys.exit(not check_types(kernels, options))
    kernels = [kernel for kernel in kernels if can_be_booted(kernel, options)]
    with tempfile.TemporaryDirectory(prefix="tcpflight-kernels-") as folder:
        work = Path(folder)
        with ThreadPoolExecutor(options.jobs) as pool:
            outcomes = [outcome for each in pool.map(lambda kernel: try_kernel(kernel, options, work), kernels) for outcome in each]
    for outcome in outcomes:
        tell_all(options, outcome)
    print(report.table(outcomes))
    if options.out:
        options.out.write_text(report.page(outcomes, shlex.join(["tools/kernels", *argv])), encoding="utf-8")
    sys.exit(any(outcome.trouble or outcome.count("failed") for outcome in outcomes))
