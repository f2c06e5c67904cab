"""The way to a target's URLs: all of them by apprise, each until it took the message once."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence

import msgspec

from monitor.model import FailureReason, RemoteError, Severity
from monitor.notify.order import Fate, Order
from monitor.notify.words import Message

SENDER = "monitor.notify.apprise_process"
LONGEST_REASON = 200

_TONES: Mapping[Severity, str] = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "failure",
}


class Loudspeaker:
    """Says each message to every URL. One that took it is not told again because another did not."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)
        self._message = ""
        self._took: set[str] = set()

    async def say(self, message: Message) -> None:
        """Raises RemoteError unless every URL took it; one that failed may have taken it all the same."""
        if message.key != self._message:
            self._message, self._took = message.key, set()
        left = tuple(url for url in self._urls if url not in self._took)
        tone = "success" if message.is_good else _TONES[message.severity]
        fates = await _sent(Order(urls=left, title=message.title, text=message.text, tone=tone))
        self._took |= {url for url, fate in zip(left, fates, strict=True) if fate.ok}
        failed = [fate for fate in fates if not fate.ok]
        if failed:
            raise _error(failed, of=len(self._urls))


async def unreadable(urls: Sequence[str]) -> list[int]:
    """The places, from 1, of those that apprise does not know. Nothing is sent. Raises RemoteError."""
    fates = await _sent(Order(urls=tuple(urls), title="", text="", tone="info"))
    return [place for place, fate in enumerate(fates, start=1) if not fate.is_known]


def _error(failed: Sequence[Fate], *, of: int) -> RemoteError:
    """apprise says only in its log why: "..., error=429."."""
    first = failed[0].reason.partition("\n")[0][:LONGEST_REASON] or "apprise does not say why"
    is_limited = any(f"error={code}" in fate.reason for fate in failed for code in ("429", "420"))
    reason = FailureReason.RATE_LIMITED if is_limited else FailureReason.CONNECTION
    return RemoteError(reason, f"{len(failed)} of {of} URLs did not take it: {first}")


async def _sent(order: Order) -> list[Fate]:
    """A process that hangs is killed when the wait for it is given up."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", SENDER, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )
    except OSError as error:
        raise RemoteError(FailureReason.BUG, f"no process for apprise: {error.strerror}") from error
    try:
        answer, _ = await process.communicate(msgspec.json.encode(order))
    finally:
        await _end(process)
    try:
        fates = msgspec.json.decode(answer, type=list[Fate])
    except msgspec.DecodeError as error:
        raise RemoteError(FailureReason.BUG, f"apprise ended with {process.returncode} and no answer") from error
    if len(fates) != len(order.urls):
        raise RemoteError(FailureReason.BUG, "apprise did not answer for every URL")
    return fates


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
