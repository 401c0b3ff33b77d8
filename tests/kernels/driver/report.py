"""Results: what each kernel made of each scenario, as lines and as a Markdown table."""
import json
from dataclasses import dataclass, field


@dataclass
class Outcome:
    kernel: str
    release: str = ""
    hooks: str = ""  # as tcpflight named them, or why it did not start
    tests: dict = field(default_factory=dict)  # name: passed, failed, skipped
    trouble: str = ""  # why there are no results
    details: dict = field(default_factory=dict)  # name: what a failure said

    def count(self, what):
        return sum(1 for result in self.tests.values() if result == what)


def parse(kernel, boot):
    """The job's results: a line of hooks, and then GoogleTest's report."""
    outcome = Outcome(kernel.name, kernel.release)
    hooks, _, rest = boot.results.partition("\n")
    outcome.hooks = hooks.strip()
    try:
        report = json.loads(rest)
    except json.JSONDecodeError:
        outcome.trouble = "no results" + ("" if boot.ended else ": it did not come to an end")
        return outcome
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            name = f"{suite['name']}.{test['name']}"
            failures = [failure["failure"] for failure in test.get("failures", [])]
            outcome.tests[name] = "failed" if failures else "passed" if test["result"] == "COMPLETED" else "skipped"
            outcome.details[name] = "\n".join(failures)
    return outcome


def line(outcome):
    if outcome.trouble:
        return f"{outcome.kernel} ({outcome.release}): {outcome.trouble}; hooks: {outcome.hooks or 'not known'}"
    return (f"{outcome.kernel} ({outcome.release}): {outcome.count('passed')} passed, {outcome.count('failed')} failed, "
            f"{outcome.count('skipped')} skipped; hooks: {outcome.hooks}")


def table(outcomes):
    """Scenarios down, kernels across."""
    names = sorted({name for outcome in outcomes for name in outcome.tests})
    words = {"passed": "ok", "failed": "**failed**", "skipped": "skipped", None: ""}
    rows = [["", *(f"{o.kernel}<br>{o.release}" for o in outcomes)],
            ["---"] * (len(outcomes) + 1),
            ["hooks", *(o.hooks or o.trouble for o in outcomes)]]
    rows += [[name, *(words[o.tests.get(name)] for o in outcomes)] for name in names]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)
