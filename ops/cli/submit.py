"""`genq submit` and `genq act`: submit jobs from the command line."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.completion import complete_operation
from ops.cli.connection import (
    RETRY_SECONDS,
    RETRY_SECONDS_WHILE_WAITING,
    KeyOption,
    UrlOption,
    api_client,
)
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.idempotency import checked_idempotency_key
from ops.cli.input_file import InputOption, read_input
from ops.cli.key_value_arguments import read_key_values, split_pairs
from ops.cli.operations import schema_of
from ops.cli.output import AsJson, print_json, printable
from ops.cli.wait import TimeoutOption, wait_for_jobs

if TYPE_CHECKING:
    from genq import Client, Job
    from genq.job import Document

#: The operation name of a job that is given by parent and action.
ACTION = "action"

Assignments = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME=VALUE", help="the fields of the operation's input"),
]
WebhookOption = Annotated[
    str | None, typer.Option(metavar="URL", help="URL that is called when the job ends")
]
MetadataOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="your own data, returned with the job"),
]
DeadlineOption = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="let the job expire after 90s, 10m or 2h, or at a time"),
]
PriorityOption = Annotated[
    int | None,
    typer.Option(
        min=-10, max=10, help="your waiting jobs with a higher priority are submitted first"
    ),
]
IdempotencyOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="submitting again with this key creates no second job",
        callback=checked_idempotency_key,
    ),
]
WaitOption = Annotated[bool, typer.Option("--wait", help="wait until the job ends")]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Submit and watch jobs")(submit)
    app.command(rich_help_panel="Submit and watch jobs")(act)


def submit(
    operation: Annotated[
        str | None,
        typer.Argument(
            metavar="OPERATION",
            help="name from genq operations; not needed with --action",
            autocompletion=complete_operation,
        ),
    ] = None,
    assignments: Assignments = None,
    *,
    input_file: InputOption = None,
    parent: Annotated[
        str | None, typer.Option(metavar="JOB", help="the finished job to follow up")
    ] = None,
    action: Annotated[
        str | None,
        typer.Option(metavar="LABEL", help="with --parent: one of its actions, such as U1"),
    ] = None,
    webhook: WebhookOption = None,
    metadata: MetadataOption = None,
    deadline: DeadlineOption = None,
    priority: PriorityOption = None,
    idempotency_key: IdempotencyOption = None,
    wait: WaitOption = False,
    timeout: TimeoutOption = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Submit a job.

    It is stored durably once this command prints its id.

    Example: genq submit kling.text2video prompt="a paper boat" duration=5 --wait

    JSON values are read as JSON if the field takes more than text.
    """
    check_timeout(timeout, wait=wait)
    if action and operation and "=" in operation:
        operation, assignments = None, [operation, *(assignments or ())]
    check_target(operation, parent, action)
    given = read_input(input_file)
    options = shared_options(webhook, metadata, deadline, priority, idempotency_key)
    with api_client(url, key, RETRY_SECONDS_WHILE_WAITING if wait else RETRY_SECONDS) as client:
        name = operation or action_of(client, str(parent))
        given |= read_key_values(assignments or (), schema_of(client, name))
        if operation is None:
            job = client.act(str(parent), str(action), given, **options)
        else:
            extra = {"action": action} if action else None
            job = client.submit(operation, given, parent=parent, extra=extra, **options)
        print_or_wait(client, job, timeout, wait=wait, as_json=as_json)


def act(
    parent: Annotated[str, typer.Argument(metavar="JOB", help="a finished job: job_…")],
    action: Annotated[
        str,
        typer.Argument(
            metavar="ACTION", help="one of its actions, such as U1; genq get lists them"
        ),
    ],
    assignments: Assignments = None,
    *,
    input_file: InputOption = None,
    webhook: WebhookOption = None,
    metadata: MetadataOption = None,
    deadline: DeadlineOption = None,
    priority: PriorityOption = None,
    idempotency_key: IdempotencyOption = None,
    wait: WaitOption = False,
    timeout: TimeoutOption = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Submit a follow-up of a finished job, such as the upscale of one of its images.

    Example: genq act job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G U1 --wait

    It creates a new job, billed like any other. Same as genq submit --parent --action.
    """
    check_timeout(timeout, wait=wait)
    given = read_input(input_file)
    options = shared_options(webhook, metadata, deadline, priority, idempotency_key)
    with api_client(url, key, RETRY_SECONDS_WHILE_WAITING if wait else RETRY_SECONDS) as client:
        schema = schema_of(client, action_of(client, parent))
        given |= read_key_values(assignments or (), schema)
        job = client.act(parent, action, given, **options)
        print_or_wait(client, job, timeout, wait=wait, as_json=as_json)


def shared_options(
    webhook: str | None,
    metadata: list[str] | None,
    deadline: str | None,
    priority: int | None,
    idempotency_key: str | None,
) -> dict[str, Any]:
    """Return the client arguments that all submits share."""
    return {
        "webhook": webhook,
        "metadata": dict(split_pairs(metadata or ())),
        "deadline": deadline,
        "priority": priority,
        "idempotency_key": idempotency_key,
    }


def print_or_wait(
    client: "Client", job: "Job", timeout: float | None, *, wait: bool, as_json: bool
) -> None:
    """Print the accepted job; with `wait`, wait until it ends."""
    if not wait:
        show_accepted(job.document, as_json=as_json)
        return
    typer.echo(f"accepted {job.id}", err=True)
    wait_for_jobs(client, [job.id], timeout, as_json=as_json)


def show_accepted(document: "Document", *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    typer.echo(printable(document["id"]))
    typer.echo(f"accepted; wait for it with genq wait {printable(document['id'])}", err=True)


def action_of(client: "Client", parent: str) -> str:
    """Return the full name of the operation that the actions of this job use."""
    return f"{client.get(parent).document['provider']}.{ACTION}"


def check_timeout(timeout: float | None, *, wait: bool) -> None:
    if timeout is not None and not wait:
        raise CliError("--timeout needs --wait", ExitCode.USAGE)


def check_target(operation: str | None, parent: str | None, action: str | None) -> None:
    """Raise `CliError` if neither an operation nor an action of a parent is named."""
    if action and not parent:
        raise CliError("--action needs the finished job: name it with --parent", ExitCode.USAGE)
    if operation is None:
        if not action:
            raise CliError("Missing argument 'OPERATION'; see genq submit --help", ExitCode.USAGE)
        return
    provider, _, name = operation.partition(".")
    if not (provider and name):
        raise CliError(
            f"{operation!r} is not PROVIDER.OPERATION: see genq operations",
            ExitCode.USAGE,
        )
