"""A file a draft: the approved bytes and nothing else. Whoever publishes by other means takes them from there."""

import asyncio
import os
from datetime import UTC
from pathlib import Path

from monitor.channels.channel import Receipt, posted
from monitor.model import Attempt, Draft, FailureReason, RemoteError


class FileChannel:
    name = "file"
    public = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def find(self, attempt: Attempt, *, first: str | None) -> Receipt | None:
        """What a former life of ours wrote."""
        del first
        path = self._path(attempt.draft)
        if not await asyncio.to_thread(_holds, path, attempt.draft.text.encode()):
            return None
        return posted(path.name)

    async def publish(self, draft: Draft, *, first: str | None) -> Receipt:
        """Write `<created>-<draft id>.txt`; its name is the remote id. The same again changes nothing."""
        del first
        path = self._path(draft)
        try:
            await asyncio.to_thread(_write, path, draft.text.encode())
        except OSError as error:
            raise RemoteError(FailureReason.CONNECTION, f"cannot write {path}: {error.strerror}") from error
        return posted(path.name)

    def _path(self, draft: Draft) -> Path:
        return self._folder / f"{draft.created_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{draft.id}.txt"


def _holds(path: Path, text: bytes) -> bool:
    return path.is_file() and path.read_bytes() == text


def _write(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        part = path.with_name(f".{path.name}.part")
        with part.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    elif path.read_bytes() != text:
        raise RemoteError(FailureReason.DISAGREEMENT, f"{path} holds another text", permanent=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
