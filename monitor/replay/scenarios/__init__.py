"""The bundled scenarios: reconstructions from published times, each with its provenance (docs/scenarios.md)."""

from monitor.replay.scenarios import (
    campaign_2026_02_04,
    drip_2022_11_08,
    exploit_2025_02_21,
    flapping_2021_11_01,
    halt_2023_10_25,
    halt_2026_02_03,
    network_2022_06_13,
)
from monitor.replay.scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    each.SCENARIO.name: each.SCENARIO
    for each in (
        halt_2026_02_03,
        campaign_2026_02_04,
        exploit_2025_02_21,
        halt_2023_10_25,
        drip_2022_11_08,
        network_2022_06_13,
        flapping_2021_11_01,
    )
}
"""By name, the newest first."""
