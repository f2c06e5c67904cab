"""People's words to the running daemon: a Unix socket beside the database, a JSON object a line, answered after commit.

The socket is 0600 and the kernel tells who is on the other end, so the actor of a command is the system's user.
"""

import asyncio
import pwd
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from monitor.clock import Clock
from monitor.model import Command, Draft, ExchangeView, Incident, Reply, Verb

LINE_BYTES = 65_536
ANSWER_SECONDS = 30.0
WORLD_VERBS = (Verb.HOLD, Verb.RELEASE, Verb.SILENCE, Verb.EXPIRE_SILENCE)
PLAN_VERBS = (Verb.MAINTAIN, Verb.END_MAINTENANCE)
DRAFT_VERBS = (Verb.EDIT, Verb.APPROVE, Verb.REJECT, Verb.RETRY)


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person asks, on the wire."""

    verb: Verb
    subject: str = ""
    arguments: dict[str, str] = {}
    text_sha256: str | None = None


class Subjects(Protocol):
    """Where a draft or an incident is looked up."""

    async def draft(self, draft_id: str) -> Draft | None: ...
    async def incident(self, incident_id: str) -> Incident | None: ...
    async def view(self, exchange: str) -> ExchangeView | None: ...


class CommandError(Exception):
    """The daemon could not be asked, or did not answer. The text says what to do."""


class CommandServer:
    def __init__(
        self, path: Path, *, subjects: Subjects, clock: Clock, ask: Callable[[Command], Awaitable[Reply]]
    ) -> None:
        self._path = path
        self._subjects = subjects
        self._clock = clock
        self._ask = ask
        self._talks: dict[asyncio.Task[None], None] = {}
        self._silent: dict[asyncio.StreamWriter, None] = {}  # connected, and have not said anything yet

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen while the context is open. A socket left behind by a killed daemon is replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(self._path))
        self._path.chmod(0o600)
        server = await asyncio.start_unix_server(self._serve, sock=listening, limit=LINE_BYTES)
        try:
            yield
        finally:
            server.close()
            self._path.unlink(missing_ok=True)
            for writer in self._silent:
                writer.close()
            if self._talks:
                await asyncio.wait(self._talks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None  # noqa: S101 - told to the type checker: a coroutine of the server runs in a task
        self._talks[talk] = self._silent[writer] = None
        try:
            await self._talk(reader, writer)
        finally:
            del self._talks[talk]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                line = await reader.readline()
                self._silent.pop(writer, None)
                reply = await self._obey(line, actor=_actor(writer)) if line else None
                if reply is not None:
                    writer.write(msgspec.json.encode(reply) + b"\n")
                    await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            return
        finally:
            self._silent.pop(writer, None)
            writer.close()

    async def _obey(self, line: bytes, *, actor: str) -> Reply:
        try:
            order = msgspec.json.decode(line, type=Order)
        except msgspec.DecodeError as error:
            return Reply(ok=False, message=f"not a command: {error}")
        exchange = await self._exchange_of(order)
        if exchange is None:
            if order.verb in PLAN_VERBS:
                return Reply(ok=False, message=f"{order.arguments.get('exchange', '')!r} is not watched")
            return Reply(ok=False, message=f"there is no draft or incident {order.subject!r}")
        command = Command(
            at=self._clock.now(),
            exchange=exchange,
            probe="socket",
            verb=order.verb,
            actor=actor,
            subject=order.subject,
            arguments=order.arguments,
            text_sha256=order.text_sha256,
        )
        return await self._ask(command)

    async def _exchange_of(self, order: Order) -> str | None:
        if order.verb in WORLD_VERBS:
            return ""
        if order.verb in PLAN_VERBS:
            view = await self._subjects.view(order.arguments.get("exchange", ""))
            return view.exchange if view is not None and not view.retired and view.exchange else None
        if order.verb in DRAFT_VERBS:
            draft = await self._subjects.draft(order.subject)
            return draft.exchange if draft is not None else None
        incident = await self._subjects.incident(order.subject)
        return incident.exchange if incident is not None else None


async def send(path: Path, order: Order) -> Reply:
    """Ask the running daemon. Raises CommandError where none listens or it does not answer."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=LINE_BYTES)
            writer.write(msgspec.json.encode(order) + b"\n")
            await writer.drain()
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
    except TimeoutError as error:
        raise CommandError(f"the daemon at {path} did not answer in {ANSWER_SECONDS:.0f} s; look at its log") from error
    except OSError as error:
        raise CommandError(f"no daemon listens at {path} ({error.strerror}); start it, or check `socket:`") from error
    if not line:
        raise CommandError(f"the daemon at {path} closed the connection; look at its log")
    return msgspec.json.decode(line, type=Reply)


def _actor(writer: asyncio.StreamWriter) -> str:
    credentials = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    _, uid, _ = struct.unpack("3i", credentials)
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
