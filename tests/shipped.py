"""What ships for Prometheus and Alertmanager, run by the real ones: only addresses are replaced."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import aiohttp
import msgspec

from tests import alertmanager_server, prometheus_server
from tests.end_to_end.daemon import eventually

DASHBOARDS = Path(__file__).parents[1] / "dashboards"
AS_SHIPPED: Mapping[str, str] = MappingProxyType({})
HURRIED: Mapping[str, str] = MappingProxyType(
    {
        "scrape_interval: 15s": "scrape_interval: 1s",
        "evaluation_interval: 15s": "evaluation_interval: 1s",
        "keep_firing_for: 10m": "keep_firing_for: 2s",
        "keep_firing_for: 2m": "keep_firing_for: 1s",
        "group_wait: 5s": "group_wait: 1s",
        "group_wait: 30s": "group_wait: 1s",
        "group_interval: 1m": "group_interval: 1s",
        "group_interval: 5m": "group_interval: 1s",
    }
)
"""For a test that has no minutes: what is shipped -> what stands in its copy."""


@asynccontextmanager
async def alerting(
    folder: Path, targets: Sequence[str], pager: str, *, instead: Mapping[str, str] = AS_SHIPPED
) -> AsyncIterator[str]:
    """Both, put together as they ship: Prometheus scrapes `targets` (HOST:PORT), Alertmanager tells `pager`, a URL; the
    address of Prometheus.
    """
    routes = _replaced("alertmanager.yml", {"http://localhost:9099": pager}, instead)
    (folder / "alertmanager.yml").write_text(routes)
    (folder / "rules").mkdir()
    for rules in (DASHBOARDS / "rules").glob("*.yml"):
        (folder / "rules" / rules.name).write_text(_replaced(f"rules/{rules.name}", AS_SHIPPED, instead))
    async with alertmanager_server.configured(folder) as alertmanager:
        ours = {"localhost:9093": alertmanager.removeprefix("http://"), "localhost:9877": ", ".join(targets)}
        (folder / "prometheus.yml").write_text(_replaced("prometheus.yml", ours, instead))
        async with prometheus_server.configured(folder) as prometheus:
            await _introduced(prometheus)
            yield prometheus


class _Members(msgspec.Struct, rename="camel"):
    active_alertmanagers: list[dict[str, str]]


class _Answer(msgspec.Struct):
    data: _Members


async def _introduced(prometheus: str) -> None:
    """What fires before Prometheus knows its Alertmanager, some seconds after its start, is sent a minute later."""
    async with aiohttp.ClientSession() as session:

        async def known() -> bool:
            async with session.get(f"{prometheus}/api/v1/alertmanagers") as response:
                answer = msgspec.json.decode(await response.read(), type=_Answer)
            return answer.data.active_alertmanagers != []

        await eventually(known)


def _replaced(name: str, addresses: Mapping[str, str], instead: Mapping[str, str]) -> str:
    """A file as it ships, with other addresses; those must all be there."""
    text = (DASHBOARDS / name).read_text()
    for shipped, ours in addresses.items():
        assert shipped in text, f"{name} has no {shipped}"
        text = text.replace(shipped, ours)
    for shipped, ours in instead.items():
        text = re.sub(rf"\b{shipped}$", ours, text, flags=re.MULTILINE)
    return text
