"""Tables for terminals of every width, and for pipes."""

from rich.cells import cell_len

from ops.cli.table import table_lines

ID = "job_01M8QBKN3PVBWFRQ2M8FEY28GK"
URL = "https://cdn.example.com/" + "a" * 200 + ".mp4"
COLUMNS = ("id", "state", "tells", "outcome")
ROWS = [
    (ID, "succeeded", "all that there is to say of it", URL),
    (ID[:-1] + "Z", "queued", "", "waits for 3 其他任务"),
]


def test_a_pipe_gets_one_untruncated_line_per_row() -> None:
    head, *lines = table_lines(COLUMNS, ROWS, None, ("outcome",))
    assert head.split() == list(COLUMNS)
    assert [line.split()[0] for line in lines] == [row[0] for row in ROWS]
    assert lines[0].endswith(f"  {URL}")


def test_ids_are_never_broken_and_widths_are_respected() -> None:
    for width in range(1, 300):
        lines = list(table_lines(COLUMNS, ROWS, width, ("outcome",)))
        text = "\n".join(lines)
        for row in ROWS:
            assert row[0] in text
            assert row[1] in text
        if width >= cell_len(f"  outcome {URL}"):
            assert max(map(cell_len, lines)) <= width


def test_a_wide_terminal_truncates_and_wraps() -> None:
    lines = list(table_lines(COLUMNS, ROWS, 80, ("outcome",)))
    assert all(cell_len(line) <= 80 for line in lines)
    assert lines[1].startswith(f"{ID}  succeeded  all that")
    assert lines[1].endswith("…")
    assert lines[2].split() == ["to", "say", "of", "it"]


def test_a_narrow_terminal_stacks_named_values() -> None:
    first, *others = table_lines(COLUMNS, ROWS[:1], 50, ("outcome",))
    assert first == f"{ID}  state succeeded"
    assert others == ["  tells all that there is to say of it", f"  outcome {URL}"]
