"""An exchange's own team: its software pushes the queue, and what waits there is a halt while all flags say open."""

import hmac
import json
from pathlib import Path

import aiohttp

from monitor.model import IncidentKind, Severity
from tests.end_to_end.daemon import daemon, eventually
from tests.end_to_end.world import World, world

SIGNED_WITH = "S3CR3T-of-at-least-sixteen-characters"
ROWS = [{"asset": "BTC", "network": "BTC", "pending": 4, "window_seconds": 60}]


def configured(around: World, folder: Path) -> Path:
    """KuCoin's own team, whose software pushes."""
    secret = folder / "push_secret"
    secret.write_text(SIGNED_WITH)
    secret.chmod(0o600)
    path = around.configure(folder, ["kucoin"], more="role: operator\nspeaks_for: kucoin")
    queue = f"  kucoin: {{queue: {{push: {{secret_file: '{secret}'}}}}, "
    path.write_text(path.read_text().replace("  kucoin: {", queue))
    return path


class Software:
    """What pushes: each minute of the clock, what was requested and broadcast in it."""

    def __init__(self, around: World, address: str) -> None:
        self._around = around
        self._url = f"{address}/api/v1/push/kucoin"
        self.last: tuple[bytes, dict[str, str]] = (b"", {})

    async def push(self, *, requested: int, broadcast: int) -> int:
        rows = [{**row, "requested": requested, "broadcast": broadcast} for row in ROWS]
        body, time = json.dumps(rows).encode(), str(int(self._around.clock.now().timestamp()))
        signature = hmac.digest(SIGNED_WITH.encode(), f"{time}.".encode() + body, "sha256").hex()
        self.last = body, {"X-Cexwatch-Time": time, "X-Cexwatch-Signature": signature}
        return await self.again()

    async def again(self) -> int:
        """The last push as it was."""
        body, headers = self.last
        async with aiohttp.ClientSession() as session, session.post(self._url, data=body, headers=headers) as answer:
            return answer.status


async def test_what_waits_in_the_operators_queue_is_a_halt(tmp_path: Path) -> None:
    async with world(["kucoin"], speed=30) as around, daemon(configured(around, tmp_path), around.clock) as running:
        await running.state_is("kucoin", "operational")
        software = Software(around, running.page)
        assert await software.push(requested=5, broadcast=5) == 202
        assert await software.again() == 409

        async def waiting() -> bool:
            await software.push(requested=5, broadcast=0)
            await around.clock.sleep(15)
            found = await running.store.incidents(open_only=True)
            return any(incident.kind is IncidentKind.WITHDRAWAL_HALT for incident in found)

        await eventually(waiting)
        halt = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="kucoin")
        draft = await running.pending(halt.id)

        assert halt.severity is Severity.CRITICAL
        assert [(found.source, found.rail) for found in halt.evidence] == [("queue", "BTC@bitcoin")]
        assert draft.text.startswith("We are ")
        assert (await running.metrics()).states("kucoin") == {"halted"}
