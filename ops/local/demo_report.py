"""The demonstration's report: a table, the files, and the checks."""

from collections import Counter
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from ops.local.demo_outcome import DemoOutcome
from ops.local.messages import print_line


def print_report(
    console: Console, outcomes: Sequence[DemoOutcome], problems: Sequence[str]
) -> None:
    """Print the table, every URL in full, and the passed checks or the problems."""
    console.print(table_of(outcomes))
    for outcome in outcomes:
        for file in outcome.files:
            print_line(console, f"  {outcome.demo_job.title}, {file.kind}")
            print_line(console, f"  {file.url}", "dim")
    print_line(console)
    for line in findings(outcomes) if not problems else ():
        print_line(console, f"✓ {line}", "green")
    for line in problems:
        print_line(console, f"✗ {line}", "red")


def table_of(outcomes: Sequence[DemoOutcome]) -> Table:
    """Return a row per job; the words in the column of files are links."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("operation and job", min_width=30)
    for name in ("state", "took", "files", "webhook"):
        table.add_column(name, justify="right" if name == "took" else "left", no_wrap=True)
    for outcome in outcomes:
        seconds = outcome.seconds
        table.add_row(
            job_cell(outcome),
            state_cell(outcome),
            "–" if seconds is None else f"{seconds:.1f} s",
            files_cell(outcome),
            Text("verified", "green") if outcome.webhook_event else Text("missing", "red"),
        )
    return table


def job_cell(outcome: DemoOutcome) -> Text:
    demo_job = outcome.demo_job
    return Text.assemble((f"{demo_job.type}, {demo_job.title}", "bold"), f"\n{outcome.job_id}")


def state_cell(outcome: DemoOutcome) -> Text:
    if not outcome.ended_as_expected:
        return Text(outcome.state, "red")
    if outcome.demo_job.expects_failure:
        return Text(f"{outcome.state}\nas expected", "green")
    return Text(outcome.state, "green")


def files_cell(outcome: DemoOutcome) -> Text:
    """Return each media type with its count, linked to the first file."""
    counts = Counter(file.kind for file in outcome.files)
    firsts = {file.kind: file.url for file in reversed(outcome.files)}
    links = [
        Text(kind if count == 1 else f"{count} {kind}", Style(link=firsts[kind], underline=True))
        for kind, count in counts.items()
    ]
    return Text("\n").join(links) if links else Text("–")


def findings(outcomes: Sequence[DemoOutcome]) -> Sequence[str]:
    """Return the passed checks."""
    files = sum(len(outcome.files) for outcome in outcomes)
    paid = sum(outcome.paid for outcome in outcomes)
    refused = len(outcomes) - paid
    return (
        f"{paid} jobs were paid exactly once; {refused} was rejected by moderation and not paid",
        f"{files} files were fetched from their URLs",
        f"{len(outcomes)} webhooks arrived; the standardwebhooks library verified each of them",
    )
