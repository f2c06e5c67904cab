"""Ctrl-C ends what a person waits for, whichever thread the kernel gives it to."""

import subprocess
import sys

WAITING = """
import asyncio, os, signal, threading
from monitor.cli.running import run

rest = threading.Event()
threading.Thread(target=rest.wait, daemon=True).start()  # it alone may be given signals from here on
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])

async def wait():
    asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
    await asyncio.Event().wait()

try:
    run(wait())
except KeyboardInterrupt:
    print("ended")
"""


def test_a_signal_that_another_thread_gets_ends_the_work() -> None:
    told = [sys.executable, "-c", WAITING]
    ended = subprocess.run(told, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603 - our own words
    assert ended.stdout == "ended\n"
