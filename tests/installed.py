"""What tests lean on that pip does not bring: a skip by name where it is missing, and a failure where CI=true."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def program(name: str) -> str:
    """The path of a program that is found by its name."""
    return shutil.which(name) or _missing(name)


def needed(path: Path) -> Path:
    return path if path.is_file() else Path(_missing(str(path)))


def content(name: str, *arguments: str | Path, text: str = "") -> str:
    """What a program that checks says of its arguments, or of `text`, when it has nothing against them."""
    command = [program(name), *arguments]
    run = subprocess.run(command, input=text, capture_output=True, check=False, text=True, timeout=60)  # noqa: S603 - programs of a test
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def _missing(what: str) -> str:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing: tools/install-servers.sh installs it", pytrace=False)
    pytest.skip(f"{what} is not installed; `make test` installs it")
