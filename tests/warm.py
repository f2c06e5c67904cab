"""The command line and the daemon without their start: a process that has imported them once forks for each.

A start is two seconds of imports, and the tests make hundreds. What a start itself costs and does is tested with real
ones (`tests/server/test_cli.py`, `tests/end_to_end/test_command_line.py`); here everything behind it is as real: a
process of its own, with its arguments, environment, folder, descriptors, signals and exit code.
"""

import asyncio
import atexit
import ctypes
import importlib
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[1]
_LENGTH = 4
_DESCRIPTORS = 3
_PR_SET_CHILD_SUBREAPER = 36  # of linux/prctl.h
_USAGE = 1 << 20  # bytes of a call, at most


class Call(msgspec.Struct):
    is_daemon: bool
    arguments: list[str]
    environ: dict[str, str]
    folder: str


async def call(
    *arguments: str, environ: Mapping[str, str], stdin: int | bytes = asyncio.subprocess.DEVNULL, folder: Path = ROOT
) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of `cexwatch` with `arguments`; `stdin`: DEVNULL, a descriptor or what is typed."""
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    with socket.socket(socket.AF_UNIX) as line:
        asked = Call(is_daemon=False, arguments=list(arguments), environ=dict(environ), folder=str(folder))
        _ask(line, asked, [_readable(stdin), out_end, err_end])
        whole_out, whole_err = await asyncio.gather(asyncio.to_thread(_drained, out), asyncio.to_thread(_drained, err))
        code = await asyncio.to_thread(line.recv, 16)
    return int(code), whole_out, whole_err


class Daemon:
    """A daemon under test, as asyncio's Process: it is a child of this process, and waited for here."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        if self.returncode is None:
            ended, descriptor = asyncio.Event(), os.pidfd_open(self.pid)
            loop = asyncio.get_running_loop()
            loop.add_reader(descriptor, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
            _, status = os.waitpid(self.pid, 0)  # noqa: ASYNC222 - it has ended
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


@asynccontextmanager
async def daemon(*arguments: str, err: int) -> AsyncIterator[Daemon]:
    """`tests.end_to_end.start` with `arguments`; what it writes on standard error goes to the descriptor `err`."""
    out, out_end = os.pipe()
    with socket.socket(socket.AF_UNIX) as line:
        asked = Call(is_daemon=True, arguments=list(arguments), environ=dict(os.environ), folder=str(ROOT))
        _ask(line, asked, [_readable(asyncio.subprocess.DEVNULL), out_end, os.dup(err)])
        pid = int(await asyncio.to_thread(line.recv, 16))
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(out, "rb")
    )
    try:
        yield Daemon(pid, reader)
    finally:
        transport.close()


def _ask(line: socket.socket, asked: Call, descriptors: list[int]) -> None:
    line.connect(_warmed())
    told = msgspec.json.encode(asked)
    socket.send_fds(line, [len(told).to_bytes(_LENGTH)], descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    line.sendall(told)


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
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)  # daemons become children of this process
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
    asked = msgspec.json.decode(told, type=Call)
    child = os.fork()
    if child == 0:
        line.close()
        _run(asked, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    if asked.is_daemon:
        line.sendall(b"%d" % child)
        os._exit(0)
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
        code = _serve_as_daemon(asked.arguments) if asked.is_daemon else _obey()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - what a real one would print before it ends
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _obey() -> int:
    from monitor.cli.program import main

    main()
    return 0


def _serve_as_daemon(arguments: list[str]) -> int:
    from tests.end_to_end import start

    config, speed, wall, shown = arguments
    return start.main(config, speed, wall, shown)


def _import_everything() -> None:
    import monitor

    for module in pkgutil.walk_packages(monitor.__path__, "monitor."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)


if __name__ == "__main__":
    _serve(sys.argv[1])
