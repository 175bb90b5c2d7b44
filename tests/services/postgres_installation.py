"""
Where is a PostgreSQL server on this machine, and whom does it run as?

A system cluster is never touched: only its programs are used, on folders of our own. Nothing here
needs pytest, so that measurements can use it as well.
"""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUPERUSER = "genq"
PROGRAMS = ("initdb", "postgres")
#: Where packages put servers that they do not put on PATH.
FOLDERS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
)


class PostgresUnavailable(Exception):
    """No PostgreSQL server is installed, or it does not start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Installation:
    """
    The server's programs, the account they run under, and a folder that account may write to.

    `account` is None where we are not root and servers run as we do. `seed` is a data folder fresh
    from initdb, to be copied: a copy takes a tenth of the time.
    """

    programs: Path
    account: str | None
    home: Path

    @property
    def seed(self) -> Path:
        return self.home / "seed"

    @property
    def environ(self) -> dict[str, str]:
        """What server programs get: messages and sorting do not depend on the machine's locale."""
        return os.environ | {"LC_ALL": "C"}

    def run(self, argv: Sequence[str | Path]) -> None:
        """Run a program as the account. Raises PostgresUnavailable with what it said."""
        group = pwd.getpwnam(self.account).pw_gid if self.account else None
        answer = subprocess.run(
            argv,
            cwd=self.home,
            env=self.environ,
            user=self.account,
            group=group,
            extra_groups=[] if self.account else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if answer.returncode:
            raise PostgresUnavailable(f"{argv[0]} failed:\n{answer.stdout}")


@contextmanager
def installation(environ: Mapping[str, str]) -> Generator[Installation]:
    """Find PostgreSQL and lend a home with a seed; all of it is removed at the end."""
    programs = find_postgres(environ)
    # Not below pytest's own temporary folder: only its owner may enter that.
    home = Path(tempfile.mkdtemp(prefix="genq-postgres-"))
    try:
        found = Installation(programs, server_account(), home)
        if found.account:
            shutil.chown(home, found.account)
        found.run(
            [
                programs / "initdb",
                *("--pgdata", found.seed),
                *("--username", SUPERUSER),
                *("--auth", "trust"),
                *("--encoding", "UTF8"),
                *("--locale", "C"),
                "--no-sync",
            ]
        )
        yield found
    finally:
        shutil.rmtree(home)


def find_postgres(environ: Mapping[str, str]) -> Path:
    """
    The folder of the server's programs: from PATH, else from known folders, else from pg_config.

    Raises PostgresUnavailable when there is none.
    """
    for folder in _folders(environ.get("PATH", "")):
        if all((folder / program).exists() for program in PROGRAMS):
            return folder
    raise PostgresUnavailable(
        "no PostgreSQL server found (initdb and postgres): install one with ops/ci/postgres.sh, "
        "or put the folder of its programs on PATH"
    )


def server_account() -> str | None:
    """Whom a server runs as: initdb and postgres refuse root, so root becomes somebody else."""
    if os.geteuid() != 0:
        return None
    return "postgres" if any(one.pw_name == "postgres" for one in pwd.getpwall()) else "nobody"


def _folders(path: str) -> Iterator[Path]:
    if found := shutil.which("postgres", path=path):
        yield Path(found).resolve().parent
    for pattern in FOLDERS:
        yield from sorted(Path("/").glob(pattern), key=_version, reverse=True)
    if pg_config := shutil.which("pg_config", path=path):
        answer = subprocess.run(
            [pg_config, "--bindir"], capture_output=True, text=True, check=False
        )
        yield Path(answer.stdout.strip())


def _version(folder: Path) -> tuple[int, ...]:
    """9.6 is older than 18, which a comparison of their names would not say."""
    return tuple(int(number) for number in re.findall(r"\d+", str(folder)))
