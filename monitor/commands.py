"""People's words to the running daemon: a Unix socket beside the database, a JSON object a line, answered after commit.

The socket is 0600 and the kernel tells who is on the other end: the system's user, who is an admin of the machine, or
the account whose password is told.
"""

import asyncio
import pwd
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from monitor.clock import Clock
from monitor.model import Command, Draft, Drill, ExchangeView, Incident, PersonRole, PreApproval, Reply, Verb
from monitor.people.accounts import Accounts
from monitor.people.desk import PeopleOrder, PeopleReply, Ringing
from monitor.people.desk import obey as obey_admin
from monitor.people.signing_in import SignInError, SignIns

LINE_BYTES = 65_536
ANSWER_SECONDS = 30.0
WORLD_VERBS = (Verb.HOLD, Verb.RELEASE, Verb.SILENCE, Verb.EXPIRE_SILENCE)
PLAN_VERBS = (Verb.MAINTAIN, Verb.END_MAINTENANCE, Verb.DRILL)
DRAFT_VERBS = (Verb.EDIT, Verb.APPROVE, Verb.REJECT, Verb.BREAK_GLASS, Verb.RETRY)
SIGNATURE_VERBS = (Verb.SIGN, Verb.REVOKE)


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person asks, on the wire."""

    verb: Verb
    subject: str = ""
    arguments: dict[str, str] = {}
    text_sha256: str | None = None
    exchange: str = ""  # that a signature is for; otherwise the subject tells
    account: str = ""  # who says it, where that is not the system's user
    secret: str = ""


class Said(msgspec.Struct, frozen=True):
    """Which of the two a line is."""

    people: str | None = None


class Speaker(msgspec.Struct, frozen=True):
    name: str
    role: PersonRole


class People(msgspec.Struct, frozen=True):
    """Who may speak here. `require_account`: the system's user alone is nobody, once there is an account."""

    accounts: Accounts
    sign_ins: SignIns
    phone: Ringing
    require_account: Callable[[], bool]


class Subjects(Protocol):
    """Where a draft or an incident is looked up."""

    async def draft(self, draft_id: str) -> Draft | None: ...
    async def incident(self, incident_id: str) -> Incident | None: ...
    async def preapprovals(self) -> Sequence[PreApproval]: ...
    async def view(self, exchange: str) -> ExchangeView | None: ...


class CommandError(Exception):
    """The daemon could not be asked, or did not answer. The text says what to do."""


class NoDaemonError(CommandError):
    """Nobody listens there."""


class Drilled(Protocol):
    """Where a drill is looked up."""

    async def one(self, drill: str) -> Drill | None: ...


class CommandServer:
    def __init__(
        self,
        path: Path,
        *,
        subjects: Subjects,
        drills: Drilled,
        people: People,
        clock: Clock,
        ask: Callable[[Command], Awaitable[Reply]],
    ) -> None:
        self._path = path
        self._subjects = subjects
        self._drills = drills
        self._people = people
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

    async def _obey(self, line: bytes, *, actor: str) -> Reply | PeopleReply:
        try:
            if msgspec.json.decode(line, type=Said).people is not None:
                return await self._administer(msgspec.json.decode(line, type=PeopleOrder), actor)
            order = msgspec.json.decode(line, type=Order)
            speaker = await self._speaker(actor, order.account, order.secret)
        except msgspec.DecodeError as error:
            return Reply(ok=False, message=f"not a command: {error}")
        except SignInError as error:
            return Reply(ok=False, message=str(error))
        exchange = await self._exchange_of(order)
        if exchange is None:
            return Reply(ok=False, message=_unknown(order))
        command = Command(
            at=self._clock.now(),
            exchange=exchange,
            probe="socket",
            verb=order.verb,
            actor=speaker.name,
            role=speaker.role,
            subject=order.subject,
            arguments=order.arguments,
            text_sha256=order.text_sha256,
        )
        return await self._ask(command)

    async def _administer(self, order: PeopleOrder, actor: str) -> PeopleReply:
        speaker = await self._speaker(actor, order.account, order.secret)
        if speaker.role is not PersonRole.ADMIN:
            return PeopleReply(
                ok=False, message=f"accounts are the admins' business, and {speaker.name} is {speaker.role}"
            )
        return await obey_admin(self._people.accounts, order, actor=speaker.name, phone=self._people.phone)

    async def _speaker(self, actor: str, account: str, secret: str) -> Speaker:
        """Raises SignInError."""
        sign_ins = self._people.sign_ins
        if account:
            found = await sign_ins.check(account, secret, address=f"socket of {actor}")
            return Speaker(found.name, found.role)
        if self._people.require_account() and await sign_ins.is_open():
            raise SignInError("people.require_account is on: say who you are with --as NAME")
        return Speaker(actor, PersonRole.ADMIN)

    async def _exchange_of(self, order: Order) -> str | None:
        if order.verb in SIGNATURE_VERBS:
            signed = {each.id: each.exchange for each in await self._subjects.preapprovals()}
            return signed.get(order.subject) if order.subject else order.exchange or None
        if order.verb in WORLD_VERBS:
            return ""
        if order.verb in PLAN_VERBS:
            view = await self._subjects.view(order.arguments.get("exchange", ""))
            return view.exchange if view is not None and not view.retired and view.exchange else None
        if order.verb in DRAFT_VERBS:
            draft = await self._subjects.draft(order.subject)
            return draft.exchange if draft is not None else None
        drill = await self._drills.one(order.subject)
        if drill is not None:
            return drill.incident.exchange
        incident = await self._subjects.incident(order.subject)
        return incident.exchange if incident is not None else None


async def send(path: Path, order: Order) -> Reply:
    """Ask the running daemon. Raises CommandError where none listens or it does not answer."""
    return msgspec.json.decode(await _answer(path, msgspec.json.encode(order)), type=Reply)


async def administer(path: Path, order: PeopleOrder) -> PeopleReply:
    """The same about accounts."""
    return msgspec.json.decode(await _answer(path, msgspec.json.encode(order)), type=PeopleReply)


async def _answer(path: Path, asked: bytes) -> bytes:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=LINE_BYTES)
            writer.write(asked + b"\n")
            await writer.drain()
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
    except TimeoutError as error:
        raise CommandError(f"the daemon at {path} did not answer in {ANSWER_SECONDS:.0f} s; look at its log") from error
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NoDaemonError(f"no daemon listens at {path} ({error.strerror}); start it, or check `socket:`") from error
    except OSError as error:
        raise CommandError(f"the daemon at {path} cannot be asked: {error.strerror}") from error
    if not line:
        raise CommandError(f"the daemon at {path} closed the connection; look at its log")
    return line


def _unknown(order: Order) -> str:
    """That there is nothing of this name, and what lists what there is."""
    if order.verb in PLAN_VERBS:
        return f"{order.arguments.get('exchange', '')!r} is not watched"
    what, lists = "incident", "incidents ls --all"
    if order.verb in DRAFT_VERBS:
        what, lists = "draft", "drafts ls --all"
    elif order.verb in SIGNATURE_VERBS:
        what, lists = "signed text", "preapproval list"
    elif order.verb is Verb.END_DRILL:
        what, lists = "drill", "drill list"
    return f"there is no {what} {order.subject!r}; `cexwatch {lists}` lists them"


def _actor(writer: asyncio.StreamWriter) -> str:
    credentials = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    _, uid, _ = struct.unpack("3i", credentials)
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
