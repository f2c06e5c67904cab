"""What the commands of `cexwatch freeze` do."""

import asyncio
import base64
import os
import secrets
import signal
import sys
from pathlib import Path
from typing import NoReturn

from monitor import __version__, logs
from monitor.cli.outcome import Code, expected, fail, tell
from monitor.clock import Clock
from monitor.config import ConfigError, LogFormat
from monitor.config.gate import KEY_BYTES, LoadedGate, load_gate
from monitor.freeze.database import DamagedError, Database, LedgerError
from monitor.freeze.serving import CannotServeError, begin
from monitor.freeze.serving import serve as serving
from monitor.freeze.signing import Signer
from monitor.freeze.verifying import Examined, examine


def serve(path: Path) -> None:
    loaded = _warned(path)
    as_json = loaded.config.log.format is LogFormat.JSON or (
        loaded.config.log.format is LogFormat.AUTO and not sys.stderr.isatty()
    )
    logs.configure(level=loaded.config.log.level, json=as_json, secrets=loaded.secrets)
    try:
        asyncio.run(_until_stopped(loaded))
    except (CannotServeError, DamagedError) as error:
        _end(error)
    except ExceptionGroup as group:  # the same from a task
        matching, other = group.split((CannotServeError, DamagedError))
        if matching is None or other is not None:
            raise
        _end(_first(matching))


def init(path: Path) -> None:
    loaded = _warned(path)
    try:
        asyncio.run(begin(loaded, Clock()))
    except CannotServeError as error:
        fail(str(error))
    print(f"begun: {loaded.config.ledger.partition('+')[0]} ledger, witness {loaded.witness}")


def keygen(folder: Path) -> None:
    """Five files that only their owner can read; none is written over."""
    names = ("account_key", "signing_key", "app_secret", "reader_token", "reports_secret")
    there = [name for name in names if (folder / name).exists()]
    if there:
        fail(
            f"{folder / there[0]} is there already, and nobody is found any more whose key is lost; nothing was written"
        )
    with expected(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in names:
            _write(folder / name, base64.b64encode(secrets.token_bytes(KEY_BYTES)))
    seed = base64.b64decode((folder / "signing_key").read_bytes())
    for name in names:
        print(folder / name)
    print(f"public key for clients: {base64.b64encode(Signer(seed).public).decode()}")


def check(path: Path) -> None:
    loaded = _warned(path)
    print(f"{path}: fine")
    print(f"public key for clients: {base64.b64encode(Signer(loaded.signing).public).decode()}")


def verify(path: Path, *, seq: int | None, digest: str) -> None:
    loaded = _loaded(path)
    with expected(LedgerError, OSError):
        found = asyncio.run(_examined(loaded, seq))
    print(f"{found.entries} entries, {found.freezes} freezes of {found.accounts} accounts, {found.links} links")
    print(f"head: entry {found.entries} {found.head.hex()}")
    print(f"witness: {found.witnessed} entries")
    for reason in found.recovered:
        print(f"was made whole again {reason}")
    wrong = list(found.wrong)
    if seq is not None and not found.asked.hex().startswith(digest.lower() or "-"):
        wrong.append(f"entry {seq} has the hash {found.asked.hex() or '(there is no such entry)'}, not {digest}")
    for each in wrong:
        tell(each)
    if wrong:
        fail("the ledger is not what was written", code=Code.FAILED)
    print("nothing was altered")


async def _examined(loaded: LoadedGate, seq: int | None) -> Examined:
    database = Database(loaded.config.ledger)
    try:
        return await examine(database, loaded.witness, seq=seq)
    finally:
        await database.close()


async def _until_stopped(loaded: LoadedGate) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serving(loaded, clock=Clock(), environ=os.environ, version=__version__, say=_say, stop=stop)


def _loaded(path: Path) -> LoadedGate:
    with expected(ConfigError, code=Code.USAGE):
        return load_gate(path, os.environ)


def _warned(path: Path) -> LoadedGate:
    loaded = _loaded(path)
    for warning in loaded.warnings:
        tell(f"warning: {warning}")
    return loaded


def _end(error: Exception) -> NoReturn:
    match error:
        case CannotServeError(may_mend=False):
            fail(str(error), code=Code.USAGE)
        case CannotServeError():
            fail(str(error))
        case _:
            fail(f"{error}; every freeze stands, and the next start mends the ledger from its witness")


def _first(group: ExceptionGroup[Exception]) -> Exception:
    match group.exceptions[0]:
        case ExceptionGroup() as inner:
            return _first(inner)
        case error:
            return error


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content + b"\n")


def _say(line: str) -> None:
    print(line, flush=True)
