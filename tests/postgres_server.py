"""A PostgreSQL server of a test's own, as Debian packages it: made in a folder, on a free port, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.alertmanager_server import free_port
from tests.installed import needed

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
USER = "postgres"  # the server refuses to be root


@contextmanager
def postgres_server() -> Iterator[str]:
    """Its address for SQLAlchemy: a superuser's, without a password."""
    initdb, control = needed(PROGRAMS / "initdb"), needed(PROGRAMS / "pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(USER)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        _run(initdb, "-D", folder / "data", "-U", USER, "-A", "trust", "-N", "--no-instructions")
        port = free_port()
        options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
        _run(control, "-D", folder / "data", "-l", folder / "log", "-w", "-o", options, "start")
        try:
            yield f"postgresql+asyncpg://{USER}@127.0.0.1:{port}/postgres"
        finally:
            _run(control, "-D", folder / "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _run(*command: str | Path) -> None:
    user = USER if os.geteuid() == 0 else None
    done = subprocess.run(  # noqa: S603 - programs of a test
        [*map(str, command)],
        user=user,
        cwd="/",
        check=False,
        timeout=60,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{command[0]} failed"
