"""The Google Benchmark programs."""
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

# The one that shows the whole way first.
PROGRAMS = ("pipeline_bench", "sink_bench", "decode_bench", "table_bench", "filter_bench", "sequencer_bench",
            "recording_bench")
LIMIT_S = 900


@dataclass
class Figure:
    name: str
    items_per_s: float
    bytes_per_connection: float = 0


# Without --long: how costs grow is shown by the whole way to text, up to a hundred million records.
USUAL = "^[^:]*$|/live:|/records:(1000000|10000000)(/|$)"
USUAL_OF_PIPELINE = "^pipeline/((count|text|timelines)/records:(1000000|10000000)|text/(live:[0-9]+|records:100000000))(/|$)"
QUICK = "^[^:]*$|:(1000|10000|100000)(/|$)"


def seconds(quick, long_runs):
    """What they take, about: for the plan alone."""
    return 20 if quick else 900 if long_runs else 170


def _command(build, program, quick, long_runs):
    command = [str(build / "tests/bench" / program), "--benchmark_format=json"]
    if program != "sink_bench" and not quick:
        command.append("--long")
    if not long_runs:
        usual = USUAL_OF_PIPELINE if program == "pipeline_bench" else USUAL
        command += [f"--benchmark_min_time={0.05 if quick else 0.2}", f"--benchmark_filter={QUICK if quick else usual}"]
    return command


def run(build: Path, say, quick, long_runs, is_over, left_out):
    figures = []
    for program in PROGRAMS:
        if is_over():
            left_out.append(program)
            continue
        say(f"  {program}")
        done = subprocess.run(_command(build, program, quick, long_runs), capture_output=True, text=True, check=False,
                              timeout=LIMIT_S)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")
        for entry in json.loads(done.stdout)["benchmarks"]:
            if entry.get("error_occurred"):
                raise RuntimeError(f"{entry['name']}: {entry['error_message']}")
            if "items_per_second" in entry:
                figures.append(Figure(entry["name"].removesuffix("/manual_time"), entry["items_per_second"],
                                      entry.get("bytes_per_connection", 0)))
    return figures
