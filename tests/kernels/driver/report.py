"""Results: what each kernel made of each scenario, as lines and as a Markdown table."""
import datetime
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "page.md"

SHORT = {"passed": "ok", "failed": "**failed**", "skipped": "skipped", None: ""}
LESS = "less_precise"  # what a scenario's properties of that begin with, tests/live/precision.cpp


@dataclass
class Outcome:
    kernel: str
    release: str = ""
    version: str = ""  # of Debian's package
    layer: str = ""  # that it was kept to; empty: the highest
    hooks: str = ""  # as tcpflight named them, or why it did not start
    tests: dict = field(default_factory=dict)  # name: passed, failed, skipped
    trouble: str = ""  # why there are no results
    details: dict = field(default_factory=dict)  # name: what a failure said
    less: dict = field(default_factory=dict)  # name: in what the scenario was less precise

    def count(self, what):
        return sum(1 for result in self.tests.values() if result == what)

    @property
    def name(self):
        return self.kernel + (f", {self.layer}" if self.layer else "")


def hooks_of(said):
    return said.strip().rpartition(", buffer")[0] or said.strip()


def parse(kernel, boot):
    """The job's results, one outcome a layer: "== LAYER" (the first has none), a line of hooks, GoogleTest's report, and
    behind "-- again" that of the second run of those that failed."""
    if kernel.is_refused:
        outcome = Outcome(kernel.name, kernel.release, kernel.version)
        outcome.hooks = boot.results.removeprefix("== ").strip()
        name = "SaysWhyItDoesNotRun"
        is_said = "tcpflight needs Linux 5.12 or later" in outcome.hooks
        outcome.tests[name] = "passed" if is_said else "failed"
        outcome.details[name] = "" if is_said else outcome.hooks
        return [outcome]
    outcomes = []
    for part in boot.results.split("== ")[1:]:
        layer, hooks, *rest = (part + "\n\n").split("\n", 2)
        outcome = Outcome(kernel.name, kernel.release, kernel.version, layer.strip(), hooks_of(hooks))
        first, _, again = rest[0].partition("-- again\n")
        take_report(outcome, first, boot.ended)
        take_second_run(outcome, again)
        outcomes.append(outcome)
    if not boot.ended:
        take_console(outcomes, boot.console)
    return outcomes or [Outcome(kernel.name, kernel.release, kernel.version, trouble="no results")]


def take_console(outcomes, console):
    """Of a machine that was cut off: what GoogleTest said of each scenario before."""
    for outcome, part in zip(outcomes, console.split("\n== ")[1:]):
        if not outcome.tests:
            for what, name in re.findall(r"^\[ +(OK|FAILED|SKIPPED) +\] (\S+?)(?:,.*)? \(\d+ ms\)", part, re.M):
                outcome.tests[name] = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[what]
                outcome.details[name] = ""


def take_report(outcome, text, has_ended):
    try:
        report = json.loads(text)
    except json.JSONDecodeError:
        outcome.trouble = "no results" if has_ended else "it did not come to an end"
        return
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            name = f"{suite['name']}.{test['name']}"
            failures = [failure["failure"] for failure in test.get("failures", [])]
            outcome.tests[name] = "failed" if failures else "passed" if test["result"] == "COMPLETED" else "skipped"
            outcome.details[name] = "\n".join(failures) or test.get("skipped", "")
            if less := [value for key, value in test.items() if key.startswith(LESS)]:
                outcome.less[name] = less


def take_second_run(outcome, text):
    """Of those that failed. Whoever reads the table sees which ones passed only then."""
    second = Outcome(outcome.kernel)
    take_report(second, text, True)
    for name, result in second.tests.items():
        if result == "passed" and outcome.tests.get(name) == "failed":
            outcome.tests[name] = result
            outcome.details[name] = ""
            outcome.less[name] = ["in its second run only", *second.less.get(name, [])]


def line(outcome):
    if outcome.trouble:
        return f"{outcome.name} ({outcome.release}): {outcome.trouble}; hooks: {outcome.hooks or 'not known'}"
    return (f"{outcome.name} ({outcome.release}): {outcome.count('passed')} passed, of these {len(outcome.less)} less precise, "
            f"{outcome.count('failed')} failed, {outcome.count('skipped')} skipped; hooks: {outcome.hooks}")


def page(outcomes, command):
    """What of it does not come from the run is written in tests/kernels/page.md."""
    text = PAGE.read_text(encoding="utf-8")
    for word, is_now in {"DATE": str(datetime.date.today()), "COMMAND": command, "KERNELS": overview(outcomes),
                         "SCENARIOS": table(outcomes)}.items():
        text = text.replace(f"@{word}@", is_now)
    return text


def markdown(rows):
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def counts(outcome):
    if outcome.trouble and not outcome.tests:
        return f"**{outcome.trouble}**"
    words = [f"{outcome.count('passed')} of {len(outcome.tests)} passed"]
    if outcome.less:
        words.append(f"{len(outcome.less)} of them less precise")
    if outcome.count("failed"):
        words.append(f"**{outcome.count('failed')} failed**")
    if outcome.count("skipped"):
        words.append(f"{outcome.count('skipped')} skipped")
    if outcome.trouble:
        words.append(f"**{outcome.trouble}**")
    return ", ".join(words)


def overview(outcomes):
    """A row for each kernel and layer."""
    return markdown([["", "kernel", "package", "hooks", "scenarios"],
                     *([o.name, o.release, o.version, o.hooks, counts(o)] for o in outcomes)]).rstrip("\n")


def table(outcomes):
    """Scenarios down, kernels across; below it, what the letters mean."""
    names = sorted({name for outcome in outcomes for name in outcome.tests})
    letters = {}

    def cell(outcome, name):
        text = SHORT[outcome.tests.get(name)]
        if text == "ok" and name in outcome.less:
            marks = [letters.setdefault(how, chr(ord("a") + len(letters))) for how in outcome.less[name]]
            text = f"less precise ({', '.join(marks)})"
        return text

    rows = [["", *(f"{o.kernel}{f'<br>--layer {o.layer}' if o.layer else ''}" for o in outcomes)],
            *([name, *(cell(o, name) for o in outcomes)] for name in names)]
    return (markdown(rows) + "".join(f"\n({letter}) {how}\n" for how, letter in letters.items())).rstrip("\n")
