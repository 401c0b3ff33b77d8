"""tools/kernels: the live scenarios on other kernels, booted in QEMU."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import archive, image, machine, report

ROOT = Path(__file__).resolve().parents[3]
LIST = ROOT / "tests/kernels/kernels.list"

JOB = """
# The first line that is not empty is what it listens with, or why it does not.
{tcpflight} -c 1 >/tmp/out 2>/tmp/err &
for i in 1 2 3 4 5 6 7 8 9 10; do
    grep -q . /tmp/err && break
    sleep 1
done
sed -n 's/.*hooks: //; 1p' /tmp/err >&3
kill -INT $! 2>/dev/null
wait
cd /tmp && {live_test} --gtest_filter='{filter}' --gtest_output=json:/tmp/report.json
cat /tmp/report.json >&3
"""


def say(text):
    print(f"tcpflight: kernels: {text}", file=sys.stderr, flush=True)


def parse_arguments(argv, known):
    parser = argparse.ArgumentParser(prog="tools/kernels", description="Boots kernels of Debian's archive in QEMU, runs the "
                                     "live scenarios on each and prints a table. Exit status 1 if one failed.")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help="of tests/kernels/kernels.list; default: all: "
                        + ", ".join(known))
    parser.add_argument("--filter", default="*", help="GoogleTest's filter of scenarios (default: all)")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="build folder (default build)")
    parser.add_argument("--cache", type=Path, help="kernels are kept here (default: BUILD/kernels)")
    parser.add_argument("--seconds", type=int, default=600, help="at most, a kernel (default 600)")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1) // 2), help="kernels at a time")
    parser.add_argument("--append", default="", help="added to the kernel's command line")
    parser.add_argument("--out", type=Path, help="write the table here too")
    options = parser.parse_args(argv)
    for kernel in options.kernels:
        if kernel not in known:
            parser.error(f"there is no kernel '{kernel}' in the list: give one of {', '.join(known)}")
    options.cache = options.cache or options.build / "kernels"
    return options


def try_kernel(kernel, options, work):
    job = JOB.format(tcpflight=options.build / "tcpflight", live_test=options.build / "tests/live/live_test",
                     filter=options.filter.replace("'", ""))
    programs = [options.build / "tcpflight", options.build / "tests/live/live_test", shutil.which("nft")]
    begin = time.monotonic()
    initramfs = image.build(kernel, programs, [ROOT / "docs/json.md"], job, work)
    boot = machine.boot(kernel, initramfs, work, options.seconds, options.append)
    initramfs.unlink()
    outcome = report.parse(kernel, boot)
    say(f"{report.line(outcome)} ({time.monotonic() - begin:.0f} s)")
    if outcome.trouble:
        print(boot.console[-3000:], file=sys.stderr)
    for name, result in outcome.tests.items():
        if result == "failed":
            print(f"== {kernel.name} {name}\n{outcome.details[name][:2000]}", file=sys.stderr)
    return outcome


def main(argv):
    rows = archive.read_list(LIST)
    options = parse_arguments(argv, [row[0] for row in rows])
    kernels = []
    for name, suite, package in rows:
        if options.kernels and name not in options.kernels:
            continue
        try:
            kernels.append(archive.Suite(suite, options.cache.absolute()).fetch(name, package))
        except (archive.Unreachable, subprocess.CalledProcessError) as error:
            say(f"{name} is skipped: {error}")
    if not kernels:
        sys.exit("tcpflight: kernels: no kernel could be fetched")
    options.build = options.build.absolute()
    with tempfile.TemporaryDirectory(prefix="tcpflight-kernels-") as folder:
        work = Path(folder)
        with ThreadPoolExecutor(options.jobs) as pool:
            outcomes = list(pool.map(lambda kernel: try_kernel(kernel, options, work), kernels))
    table = report.table(outcomes)
    print(table)
    if options.out:
        options.out.write_text(table, encoding="utf-8")
    sys.exit(any(outcome.trouble or outcome.count("failed") for outcome in outcomes))
