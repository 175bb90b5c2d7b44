"""The check of commit subjects accepts and rejects by its three rules."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "ops" / "ci" / "commit_subjects.py"
GIT = ("git", "-c", "user.name=Nobody", "-c", "user.email=nobody@example.com")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run([*GIT, *arguments], cwd=folder, env=environment(folder), check=True)


def environment(folder: Path) -> dict[str, str]:
    """An environment without this checkout's own Git variables and configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "HOME": str(folder), "GIT_CEILING_DIRECTORIES": str(folder.parent)}


def check(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def commit(folder: Path, subject: str) -> None:
    git(folder, "commit", "--quiet", "--allow-empty", "--message", subject)


def test_good_subjects_pass(repository: Path) -> None:
    commit(repository, "Add a job")
    commit(repository, "A" * 72)
    answer = check(repository)
    assert answer.returncode == 0, answer.stderr
    assert "2 commit subjects checked, 0 problems" in answer.stdout


@pytest.mark.parametrize(
    ("subject", "problem"),
    [
        ("A" * 73, "it has 73 characters; 72 are allowed"),
        ("Add a job.", "it ends with a period"),
        ("add a job", "it does not start with a capital letter"),
        ("fixup! Add a job", "it does not start with a capital letter"),
    ],
)
def test_a_bad_subject_is_named(repository: Path, subject: str, problem: str) -> None:
    commit(repository, "Add a worker")
    commit(repository, subject)
    answer = check(repository)
    assert answer.returncode == 1
    assert answer.stderr.endswith(f"{subject!r}: {problem}\n")


def test_only_the_newest_commits_count(repository: Path) -> None:
    commit(repository, "old and bad.")
    commit(repository, "Add a job")
    assert check(repository, "1").returncode == 0
    assert check(repository, "2").returncode == 1


def test_merges_are_skipped(repository: Path) -> None:
    commit(repository, "Add a job")
    git(repository, "checkout", "--quiet", "-b", "other")
    commit(repository, "Add a worker")
    git(repository, "checkout", "--quiet", "main")
    git(repository, "merge", "--quiet", "--no-ff", "--message", "merge other.", "other")
    answer = check(repository)
    assert answer.returncode == 0, answer.stderr
    assert "2 commit subjects checked" in answer.stdout


def test_it_works_in_a_shallow_clone(repository: Path, tmp_path: Path) -> None:
    commit(repository, "bad.")
    commit(repository, "Add a job")
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), "clone")
    answer = check(tmp_path / "clone")
    assert answer.returncode == 0, answer.stderr
    assert "1 commit subjects checked" in answer.stdout


def test_outside_a_checkout_there_is_nothing_to_check(tmp_path: Path) -> None:
    answer = check(tmp_path)
    assert answer.returncode == 0
    assert "no commits to check" in answer.stdout
