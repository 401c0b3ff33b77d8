"""tools/bench: what watching costs, and what it costs with other tools."""
import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from . import document, machine
from .session import SECTIONS, Session, say

ROOT = Path(__file__).resolve().parents[3]


def names(text):
    return [name for name in text.split(",") if name]


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="tools/bench", description="Measures what watching TCP costs, beside other tools, always against untraced "
        "runs just before and after. Needs root. Results are Markdown, an SVG and the raw rounds as JSON.")
    parser.add_argument("--quick", action="store_true", help="about two minutes; results go to BUILD/bench")
    parser.add_argument("--rounds", type=int, help="of each contestant (default 7; 1 with --quick)")
    parser.add_argument("--events", type=int, help="changes of state in a run (default 1000000; 100000 with --quick)")
    parser.add_argument("--only", type=names, default=[], metavar="NAME,...", help="only these contestants")
    parser.add_argument("--sections", type=names, default=[], metavar="NAME,...", help="only " + ", ".join(SECTIONS))
    parser.add_argument("--minutes", type=float, help="how long it may take, behind the build (default 25; 2 with --quick); "
                        "the plan is told first, and what finds no time is left out")
    parser.add_argument("--noise", type=float, default=3, metavar="PERCENT", help="rounds in which others took more of the CPUs "
                        "are repeated (default 3)")
    parser.add_argument("--build", type=Path, default=ROOT / "build-bench", help="build folder (default build-bench)")
    parser.add_argument("--out", type=Path, help="results (default docs/benchmarks; BUILD/bench where not all was run)")
    parser.add_argument("--long", action="store_true", help="all micro benchmarks with up to 100 million records: "
                        "a quarter of an hour more")
    parser.add_argument("--renew-verifier", action="store_true", help="write docs/benchmarks/verifier.txt")
    options = parser.parse_args(argv)
    unknown = [s for s in options.sections if s not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {unknown[0]}: give {', '.join(SECTIONS)}")
    options.rounds = options.rounds or (1 if options.quick else 7)
    options.events = options.events or (100_000 if options.quick else 1_000_000)
    options.minutes = options.minutes or (2 if options.quick else 25)
    is_whole = not (options.quick or options.only or options.sections)
    machine.NoiseMeter.LIMIT = options.noise / 100
    options.build = options.build.absolute()
    options.out = (options.out or (ROOT / "docs/benchmarks" if is_whole else options.build / "bench")).absolute()
    options.sections = options.sections or SECTIONS
    # A whole run leaves nothing out: the first one sets the figures that later ones are compared with.
    options.renew_verifier |= (is_whole and options.out == ROOT / "docs/benchmarks" and
                               not (options.out / "verifier.txt").exists())
    if options.rounds < 1 or options.events < 1000:
        parser.error("a measurement has at least 1 round of 1000 events")
    return options


def build(folder):
    say(f"building in {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "bench-build.log"
    steps = (["cmake", "-S", str(ROOT), "-B", str(folder), "-G", "Ninja", "-DTCPFLIGHT_BENCH=ON", "-DTCPFLIGHT_TESTS=OFF",
              "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG"],
             ["ninja", "-C", str(folder), "bench_programs"])
    with open(log, "w", encoding="utf-8") as out:
        for step in steps:
            if subprocess.run(step, stdout=out, stderr=subprocess.STDOUT, check=False).returncode != 0:
                sys.exit(f"tcpflight: bench: the build failed: see {log}")


def _interrupt(_number, _frame):
    raise KeyboardInterrupt


def main(argv):
    options = parse(argv)
    if os.geteuid() != 0:
        sys.exit("tcpflight: bench: tracing needs root: run it with sudo")
    if not machine.is_isolated():
        if subprocess.run([str(ROOT / "tools/install-deps"), "bench"], check=False).returncode != 0:
            sys.exit(1)
        build(options.build)
    machine.isolate([sys.executable, str(ROOT / "tools/bench"), *argv])
    options.out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryDirectory(prefix="run-", dir=options.build) as workdir:
        session = Session(options, ROOT, Path(workdir))
        try:
            session.run(lambda: document.write(options.out, session, argv))
        except (RuntimeError, KeyboardInterrupt) as error:
            sys.exit(f"tcpflight: bench: {error or 'interrupted'}")
    say(f"written: {options.out / 'latest.md'}")
    for line in document.verifier_lines(session.results.verifier):
        say(line)
    if session.is_interrupted:
        sys.exit(1)
