"""The Google Benchmark programs."""
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("decode_bench", "table_bench", "filter_bench", "sequencer_bench", "sink_bench", "recording_bench",
            "pipeline_bench")
LIMIT_S = 900


@dataclass
class Figure:
    name: str
    items_per_s: float
    bytes_per_connection: float = 0


def run(build: Path, say, quick, long_runs):
    figures = []
    for program in PROGRAMS:
        say(f"  {program}")
        command = [str(build / "tests/bench" / program), "--benchmark_format=json"]
        if quick:
            command += ["--benchmark_min_time=0.05", "--benchmark_filter=^[^:]*$|:(1000|10000|100000)(/|$)"]
        if long_runs and program != "sink_bench":
            command.append("--long")
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT_S)
        for entry in json.loads(done.stdout)["benchmarks"]:
            if entry.get("error_occurred"):
                raise RuntimeError(f"{entry['name']}: {entry['error_message']}")
            if "items_per_second" in entry:
                figures.append(Figure(entry["name"].removesuffix("/manual_time"), entry["items_per_second"],
                                      entry.get("bytes_per_connection", 0)))
    return figures
