"""Checks the subjects of the newest commits: `python3 ops/ci/commit_subjects.py [COUNT]`.

A subject has at most 72 characters, starts with a capital letter and does not end with a period.
Merges are skipped. It uses only the standard library and works in a shallow clone; outside a Git
checkout, such as in an unpacked archive, it does nothing.
"""

import subprocess
import sys

NEWEST = 20
MAX_LENGTH = 72


def problems_of(subject: str) -> list[str]:
    """Return what is wrong with a subject."""
    checks = {
        f"it has {len(subject)} characters; {MAX_LENGTH} are allowed": len(subject) <= MAX_LENGTH,
        "it does not start with a capital letter": subject[:1].isupper(),
        "it ends with a period": not subject.endswith("."),
    }
    return [problem for problem, is_fine in checks.items() if not is_fine]


def newest_subjects(count: int) -> list[tuple[str, str]]:
    """Return hash and subject of the newest commits; empty outside a Git checkout."""
    log = subprocess.run(
        ["git", "log", "--no-merges", f"--max-count={count}", "--format=%h %s"],
        capture_output=True,
        text=True,
        check=False,
    )
    if log.returncode != 0:
        print(f"no commits to check: {log.stderr.strip()}")
    commits = [line.partition(" ") for line in log.stdout.splitlines()]
    return [(commit, subject) for commit, _, subject in commits]


def main() -> int:
    """Print each problem; return the exit code."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else NEWEST
    commits = newest_subjects(count)
    found = [
        f"{commit} {subject!r}: {problem}"
        for commit, subject in commits
        for problem in problems_of(subject)
    ]
    for line in found:
        print(line, file=sys.stderr)
    print(f"{len(commits)} commit subjects checked, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
