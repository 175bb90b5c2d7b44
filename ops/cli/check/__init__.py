"""`genq check`: checks this deployment and says what to change."""
# ruff: noqa: PLC0415  (checks import what they check)

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import typer

from ops.cli.check.finding import Finding, Level, ok, problem
from ops.cli.configuration import InvalidSettings
from ops.cli.exit_codes import ExitCode
from ops.cli.output import AsJson, print_json, print_table
from ops.cli.running_stack import local_settings


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Operate")(check)


def check(as_json: AsJson = False) -> None:
    """Check the settings, stations, database and broker, and say what to change.

    Exit code: 0 if genq is usable (warnings are allowed), 1 if there is a problem. Nothing is
    changed and no station is called.
    """
    findings = list(all_findings())
    usable = not any(each.level is Level.PROBLEM for each in findings)
    if as_json:
        print_json({"usable": usable, "findings": [asdict(each) for each in findings]})
    else:
        print_findings(findings)
    if not usable:
        raise typer.Exit(ExitCode.FAILED)


def all_findings() -> Iterator[Finding]:
    """Yield all findings. Unreadable settings end the check."""
    try:
        settings, whose = local_settings()
    except InvalidSettings as error:
        yield from (problem("settings", complaint) for complaint in error.setting_errors)
        return
    from ops.cli.check import services
    from ops.cli.check import settings as of_settings

    yield ok("settings", whose or "can be read")
    yield from of_settings.settings_findings(settings)
    yield from services.service_findings(settings)


def print_findings(findings: Sequence[Finding]) -> None:
    rows = [(each.level.value, each.subject, each.message) for each in findings]
    print_table(("", "what", "finding"), rows, empty="")
