"""What servers said once, told again without a socket. The seams are `Http`, and the door of an Electrum server."""

import asyncio
import json
import random
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from monitor.chains.electrum_door import Door
from monitor.chains.electrum_lines import Lines
from monitor.clock import Clock
from monitor.http import Answer, Http
from monitor.model import FailureReason, RemoteError
from tests.hand_clock import HandClock

Message = dict[str, object]
Spoil = Callable[[str, bytes, bytes], bytes]
"""What becomes of an answer: its kind, the answer, and what another question of that kind was answered."""

_PARTICULAR = re.compile(r"\b(0x)?[0-9a-f]{64}\b|/\d+\b|/(bc1|[13])[0-9A-Za-z]{20,}")


def truly(_kind: str, body: bytes, _other: bytes) -> bytes:
    return body


class Tape:
    """Answers by question. JSON-RPC is kept call by call, so that a batch of other size has its answers too."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, Message | bytes | RemoteError]] = {}  # by kind and question

    def note(self, path: str, question: bytes, told: bytes | RemoteError) -> None:
        calls = _calls(question)
        if not calls:
            self._keep(_kind(path, question), _whole(path, question), told)
        elif isinstance(told, bytes):
            decoded = json.loads(told)
            answers = decoded if isinstance(decoded, list) else [decoded]
            by_id = {answer.get("id"): answer for answer in answers}
            for call in calls:
                self._keep(str(call["method"]), _exactly(call), by_id[call["id"]])

    def has(self, path: str, question: bytes) -> bool:
        calls = _calls(question)
        if not calls:
            return _whole(path, question) in self._told.get(_kind(path, question), {})
        return all(_exactly(call) in self._told.get(str(call["method"]), {}) for call in calls)

    def tell(self, path: str, question: bytes) -> bytes:
        """What was answered, and to a question that was not asked what another of its kind was answered."""
        calls = _calls(question)
        if not calls:
            return self._body(_kind(path, question), _whole(path, question))
        answers = [self._message(call, _exactly(call)) for call in calls]
        return json.dumps(answers if question.lstrip().startswith(b"[") else answers[0]).encode()

    def tell_another(self, path: str, question: bytes, chance: random.Random) -> bytes:
        """What a question of the same kind was answered."""
        calls = _calls(question)
        if not calls:
            kind = _kind(path, question)
            return self._body(kind, chance.choice([*self._told.get(kind, {"": b""})]))
        changed = chance.randrange(len(calls))
        answers = []
        for place, call in enumerate(calls):
            exact = _exactly(call)
            if place == changed:
                exact = chance.choice([*self._told.get(str(call["method"]), {"": None})])
            answers.append(self._message(call, exact))
        return json.dumps(answers if question.lstrip().startswith(b"[") else answers[0]).encode()

    def _keep(self, kind: str, exact: str, told: Message | bytes | RemoteError) -> None:
        self._told.setdefault(kind, {})[exact] = told

    def _found(self, kind: str, exact: str) -> Message | bytes | RemoteError | None:
        told = self._told.get(kind, {})
        return told.get(exact) or next(iter(told.values()), None)

    def _body(self, kind: str, exact: str) -> bytes:
        match self._found(kind, exact):
            case bytes(body):
                return body
            case RemoteError() as error:
                raise RemoteError(error.reason, error.detail)
            case _:
                raise RemoteError(FailureReason.HTTP_4XX, "404")

    def _message(self, call: Message, exact: str) -> Message:
        match self._found(str(call["method"]), exact):
            case dict(message):
                return {**message, "id": call["id"]}
            case _:
                return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32601, "message": "Method not found"}}


def _calls(question: bytes) -> list[Message]:
    """Those of JSON-RPC."""
    if not question.lstrip().startswith((b"{", b"[")):
        return []
    asked = json.loads(question)
    calls = asked if isinstance(asked, list) else [asked]
    return calls if all("jsonrpc" in call for call in calls) else []


def _exactly(call: Message) -> str:
    return json.dumps([call["method"], call["params"]])


def _whole(path: str, question: bytes) -> str:
    return f"{path} {json.dumps(json.loads(question)) if question else ''}"


def _kind(path: str, question: bytes) -> str:
    method = json.loads(question).get("method", "") if question else ""
    return f"{_PARTICULAR.sub('*', path)} {method}".strip()


class Recorder(Http):
    """Asks truly, and notes."""

    def __init__(self) -> None:
        super().__init__(Clock(), per_second={f"127.0.0.{host}": 10_000.0 for host in (1, 2)})
        self.tape = Tape()

    async def get(
        self, url: str, *, headers: Mapping[str, str] = {}, allow_private: bool = False, timeout: float = 10.0
    ) -> Answer:
        try:
            answer = await super().get(url, headers=headers, allow_private=allow_private, timeout=timeout)
        except RemoteError as error:
            self.tape.note(urlsplit(url).path, b"", error)
            raise
        self.tape.note(urlsplit(url).path, b"", answer.body)
        return answer

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] = {},
        allow_private: bool = False,
        timeout: float = 10.0,
    ) -> Answer:
        answer = await super().post(url, body, headers=headers, allow_private=allow_private, timeout=timeout)
        self.tape.note(urlsplit(url).path, body, answer.body)
        return answer


class Teller:
    """Tells a tape, spoilt; fails the test that asks more than `most` times, as it would not end."""

    def __init__(self, tape: Tape, spoil: Spoil, chance: random.Random, *, most: int) -> None:
        self.told = 0
        self.has_strayed = False  # to a question that was not recorded, whose answer is another's
        self._tape = tape
        self._spoil = spoil
        self._chance = chance
        self._most = most

    def tell(self, path: str, question: bytes) -> bytes:
        self.told += 1
        if self.told > self._most:
            raise AssertionError(f"asked {self.told} times, without end")
        calls = _calls(question)
        kind = "+".join(dict.fromkeys(str(call["method"]) for call in calls)) or _kind(path, question)
        try:
            other = self._tape.tell_another(path, question, self._chance)
        except RemoteError:
            other = b""
        self.has_strayed |= not self._tape.has(path, question)
        return self._spoil(kind, self._tape.tell(path, question), other)


class Replay(Http):
    """In place of all hosts, however they are asked."""

    def __init__(self, teller: Teller) -> None:
        super().__init__(HandClock())
        self._teller = teller

    async def get(self, url: str, **_: object) -> Answer:
        return _answer(self._teller.tell(urlsplit(url).path, b""))

    async def post(self, url: str, body: bytes, **_: object) -> Answer:
        return _answer(self._teller.tell(urlsplit(url).path, body))

    async def heed(self, url: str, error: RemoteError) -> None:
        pass


class ReplayDoor(Door):
    """In place of an Electrum server."""

    def __init__(self, host: str, teller: Teller) -> None:
        self.host = host
        self._teller = teller

    async def open(self) -> Lines:
        lines = Lines(self.host)
        lines.connection_made(_Pipe(lines, self._teller))
        return lines


class _Pipe(asyncio.Transport):
    def __init__(self, lines: Lines, teller: Teller) -> None:
        super().__init__()
        self._lines = lines
        self._teller = teller

    def write(self, data: bytes | bytearray | memoryview) -> None:
        told = self._teller.tell("", bytes(data).strip()) + b"\n"
        asyncio.get_running_loop().call_soon(self._lines.data_received, told)

    def abort(self) -> None:
        asyncio.get_running_loop().call_soon(self._lines.connection_lost, None)


def _answer(body: bytes) -> Answer:
    return Answer(status=200, body=body, date=None, elapsed_seconds=0.0, read_at=0.0)
