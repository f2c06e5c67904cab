"""Hardly any memory left (fault H13): caps keep the daemon alive, or it ends and the next life goes on."""

import resource
from pathlib import Path

import pytest

from monitor.probes import EXCHANGES
from tests.end_to_end.daemon import daemon, eventually
from tests.end_to_end.world import configure, world
from tests.fault_server import FaultServer, http, says
from tests.faults.test_machine import check_whole, more_looks
from tests.faults.weather import HUGE

SPARE_BYTES = 24 * 2**20
KUCOIN = ("/api/v3/currencies", "/api/v1/market/histories", "/api/v1/status")


def size_of(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    return pages * resource.getpagesize()


@pytest.mark.timeout(120)
async def test_h13_bodies_beyond_all_memory_end_in_a_refusal(tmp_path: Path) -> None:
    assert "kucoin" in EXCHANGES
    async with (
        world(("gate",), speed=60) as around,
        FaultServer(dict.fromkeys(KUCOIN, says(http(HUGE)))) as greedy,
    ):
        config = configure(
            tmp_path,
            exchanges={"gate": around.exchanges["gate"].url, "kucoin": greedy.url("")},
            status_page=around.status_page.url,
            controls=[control.url for control in around.controls],
        )
        async with daemon(config, around.clock) as running:
            await running.state_is("gate", "operational")
            _soft, hard = resource.prlimit(running.pid, resource.RLIMIT_AS)
            resource.prlimit(running.pid, resource.RLIMIT_AS, (size_of(running.pid) + SPARE_BYTES, hard))

            async def was_fed() -> bool:
                return len(greedy.requests) >= 20

            await eventually(was_fed)
            await more_looks(running, 5)
            metrics = await running.metrics()
            assert (metrics.states("gate"), metrics.states("kucoin")) == ({"operational"}, {"unknown"})
            assert await running.get("/healthz") == (200, "alive\n")
            assert await running.store.incidents() == []
            check_whole(await running.journal())
            assert size_of(running.pid) < 2**30
