"""The command line without its start: a process that has imported it once forks for each call.

A start is a second of imports, and the tests make hundreds of calls. What a start itself costs and does is tested with
real ones (`tests/server/test_cli.py`, `tests/end_to_end`); here everything behind it is as real: a process of its own,
with its arguments, environment, folder, descriptors and exit code.
"""

import asyncio
import atexit
import importlib
import os
import pkgutil
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[1]
_LENGTH = 4
_DESCRIPTORS = 3
_USAGE = 1 << 20  # bytes of a call, at most


class Call(msgspec.Struct):
    arguments: list[str]
    environ: dict[str, str]
    folder: str


async def call(
    *arguments: str, environ: Mapping[str, str], stdin: int | bytes = asyncio.subprocess.DEVNULL, folder: Path = ROOT
) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of `cexwatch` with `arguments`; `stdin`: DEVNULL, a descriptor or what is typed."""
    opened = _readable(stdin)
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    line = socket.socket(socket.AF_UNIX)
    with line:
        line.connect(_warmed())
        told = msgspec.json.encode(Call(list(arguments), dict(environ), str(folder)))
        socket.send_fds(line, [len(told).to_bytes(_LENGTH)], [opened, out_end, err_end])
        for descriptor in (opened, out_end, err_end):
            os.close(descriptor)
        line.sendall(told)
        whole_out, whole_err = await asyncio.gather(asyncio.to_thread(_drained, out), asyncio.to_thread(_drained, err))
        code = await asyncio.to_thread(line.recv, 16)
    return int(code), whole_out, whole_err


def _readable(stdin: int | bytes) -> int:
    if isinstance(stdin, bytes):  # less than a pipe holds
        end, begin = os.pipe()
        os.write(begin, stdin)
        os.close(begin)
        return end
    return os.open(os.devnull, os.O_RDONLY) if stdin == asyncio.subprocess.DEVNULL else os.dup(stdin)


def _drained(descriptor: int) -> bytes:
    with open(descriptor, "rb") as pipe:
        return pipe.read()


@cache
def _warmed() -> str:
    """The abstract address of this worker's process, which ends with the worker."""
    address = f"\0cexwatch-tests-{os.getpid()}"
    process = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", "tests.warm", address[1:]], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"warm\n"
    atexit.register(process.kill)
    return address


def _serve(name: str) -> None:
    _import_everything()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(f"\0{name}")
        door.listen(64)
        sys.stdout.write("warm\n")
        sys.stdout.flush()
        parent = os.getppid()
        door.settimeout(5.0)
        while os.getppid() == parent:
            try:
                line, _ = door.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                door.close()
                _attend(line)
            line.close()
            _reap()


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _attend(line: socket.socket) -> None:
    """Fork once more, so that the call is a child that somebody waits for."""
    line.setblocking(True)
    length, descriptors, _, _ = socket.recv_fds(line, _LENGTH, _DESCRIPTORS)
    told = b""
    while len(told) < int.from_bytes(length):
        told += line.recv(_USAGE)
    child = os.fork()
    if child == 0:
        line.close()
        _run(msgspec.json.decode(told, type=Call), descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    _, status = os.waitpid(child, 0)
    line.sendall(b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _run(asked: Call, descriptors: list[int]) -> None:
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(asked.environ)
    os.chdir(asked.folder)
    sys.argv = ["cexwatch", *asked.arguments]
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - they are the process's own
    code = 1
    try:
        from monitor.cli.program import main

        main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - what a real one would print before it ends
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _import_everything() -> None:
    import monitor

    for module in pkgutil.walk_packages(monitor.__path__, "monitor."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)


if __name__ == "__main__":
    _serve(sys.argv[1])
