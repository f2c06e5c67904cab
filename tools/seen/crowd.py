"""A full house: every catalogued family, the freeze gate's too, for eleven exchanges, in invented numbers.

The demo has one exchange, no prices and no channel but a file. Legends, columns and scales are to be seen as those see
them who watch everything; nothing here says how an exchange behaves.
"""

import math
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from zlib import crc32

from monitor.exposition import GATE, PREFIX, Family, Kind
from monitor.metrics import CATALOGUE
from monitor.model import ExchangeState, RailVerdict
from monitor.replay.script import START

JOB, INSTANCE = "crowd", "crowd:9877"
CHOSEN = "kucoin"  # which halts
STEP_SECONDS = 30
BEGIN, END = START - timedelta(days=1), START - timedelta(days=1) + timedelta(hours=6)

EXCHANGES = (
    *("binance", "bitfinex", "bitget", "bybit", "coinbase", "gate"),
    *("htx", "kraken", "kucoin", "mexc", "okx"),
)
NETWORKS = {
    "BTC": ("bitcoin",),
    "ETH": ("ethereum",),
    "USDT": ("ethereum", "tron"),
    "USDC": ("ethereum",),
    "SOL": ("solana",),
    "XRP": ("xrp",),
}
WORDS: dict[str, tuple[str, ...]] = {
    "exchange": EXCHANGES,
    "network": tuple(sorted({network for each in NETWORKS.values() for network in each})),
    "asset": tuple(NETWORKS),
    "direction": ("withdrawal",),
    "state": tuple(RailVerdict),
    "window": ("1h", "24h"),
    "kind": ("withdrawal_halt", "rail_suspended"),
    "severity": ("critical", "warning"),
    "probe": ("rails", "status", "trades", "wallets-bitcoin", "wallets-ethereum"),
    "reason": ("timeout", "http_5xx", "rate_limited"),
    "channel": ("file", "statuspage", "webhook", "x"),
    "outcome": ("posted", "unknown_outcome"),
    "target": ("comms", "oncall"),
    "host": ("api.bybit.com", "api.gateio.ws", "api.kraken.com", "ethereum-rpc.publicnode.com"),
    "chain": ("decisions", "people"),
    "version": ("0.1.0",),
    "sha256": ("0" * 64,),
    "python_version": ("3.13.0",),
    "origin": ("app", "guardian", "link"),
    "holder": ("guardian", "owner"),
    "what": ("delta", "snapshot"),
}
STATES = {
    "withdrawals_state": tuple(ExchangeState),
    "exposure_usd": ("withdrawable", "stuck", "unknown"),
    "exposure_coins": ("withdrawable", "stuck", "unknown"),
}
KINDS = ("list_read", "wallet_activity", "reserve_balance", "flow", "trades", "control", "tick", "price")


def lines() -> Iterator[str]:
    """OpenMetrics for `promtool tsdb create-blocks-from`."""
    begin = BEGIN.timestamp()
    for second in range(0, int((END - BEGIN).total_seconds()), STEP_SECONDS):
        for family in (*CATALOGUE, *GATE):
            for labels in _series(family):
                yield from _samples(family, labels, second, begin)
    yield "# EOF\n"


def _series(family: Family) -> Iterator[dict[str, str]]:
    words = {**WORDS, "state": STATES.get(family.name, WORDS["state"])}
    if family.name == "journal_entries_total":
        words["kind"] = KINDS
    for chosen in product(*(words[label] for label in family.labels)):
        labels = dict(zip(family.labels, chosen, strict=True))
        if _exists(family, labels):
            yield labels


def _exists(family: Family, labels: dict[str, str]) -> bool:
    """Of some things there are few: pairs that are no rail, incidents, hosts that closed."""
    if "asset" in labels and "network" in labels and labels["network"] not in NETWORKS[labels["asset"]]:
        return False
    if family.name.startswith("incident_"):
        return labels["exchange"] in {"kucoin", "okx"} and (labels["kind"] == "withdrawal_halt") == (
            labels["severity"] == "critical"
        )
    if family.name.startswith(("exposure_", "detection_lead")):
        return labels["exchange"] in {"binance", "kraken", "okx"}
    if family.name == "host_closed_until_timestamp_seconds":
        return labels == {"host": "api.bybit.com", "reason": "rate_limited"}
    return True


def _samples(family: Family, labels: dict[str, str], second: int, begin: float) -> Iterator[str]:
    name, value = PREFIX + family.name, _value(family, labels, second, begin)
    if family.kind is Kind.HISTOGRAM:
        for place, bound in enumerate((*family.buckets, math.inf)):
            shown = "+Inf" if bound == math.inf else str(bound)
            share = min(1.0, (place + 1) / 5)
            yield _line(f"{name}_bucket", {**labels, "le": shown}, math.floor(second * share), begin + second)
        return
    yield _line(name, labels, value, begin + second)


def _line(name: str, labels: dict[str, str], value: float, at: float) -> str:
    inside = ",".join(f'{label}="{word}"' for label, word in {**labels, "job": JOB, "instance": INSTANCE}.items())
    return f"{name}{{{inside}}} {value} {at}\n"


def _value(family: Family, labels: dict[str, str], second: int, begin: float) -> float:
    """Steady per series, with a wave of some hours."""
    seed = crc32(repr((family.name, *labels.items())).encode())
    wave = 1 + 0.1 * math.sin(second / 3000 + seed % 7)
    if family.name in {"withdrawals_state", "rail_state"}:
        return float(labels["state"] == _state(labels, second))
    if family.kind is Kind.COUNTER:
        return math.floor(second * (0.001 + seed % 97 / 97) * (0.002 if "fail" in family.name else 1.0))
    if family.name.endswith("_timestamp_seconds"):
        return _instant(family, seed, second, begin)
    if family.name in FLAGS:
        return FLAGS[family.name]
    if family.name.endswith("_ratio"):
        return seed % 97 / 97 * 0.08 * wave * (-1 if "change" in family.name else 1)
    return SCALES.get(family.name, 5.0) * 10 ** (seed % 97 / 48) * wave if family.name not in COUNTS else seed % 3


def _state(labels: dict[str, str], second: int) -> str:
    """KuCoin halts in the fourth hour; Bybit tells nothing; HTX has two rails that are off."""
    halted = labels["exchange"] == "kucoin" and 10_800 <= second < 18_000
    if "asset" not in labels:
        return "halted" if halted else {"bybit": "unknown", "htx": "degraded"}.get(labels["exchange"], "operational")
    off = labels["exchange"] == "htx" and labels["asset"] in {"SOL", "XRP"}
    return "suspended" if halted or off else {"bybit": "unknown"}.get(labels["exchange"], "open")


def _instant(family: Family, seed: int, second: int, begin: float) -> float:
    now = begin + second
    if "not_after" in family.name:
        return begin + 86_400 * (3 + seed % 80)
    if "until" in family.name:
        return now + 30 + seed % 240
    if "opened" in family.name or "changed" in family.name or "loaded" in family.name:
        return begin + 10_800 - seed % 4000
    return now - seed % 60 - second % 97 / 10


COUNTS = {"drafts_pending", "notifications_waiting", "rails", "readings_queued"}
FLAGS = {
    "blind": 0.0,
    "publishing_held": 0.0,
    "config_last_reload_successful": 1.0,
    "chain_stalled": 0.0,
    "probe_up": 1.0,
    "build_info": 1.0,
    "reserve_wallets_unread": 0.0,
    "silences_active": 1.0,
    "freeze_gate_write_failing": 0.0,
    "freeze_gate_ledger_intact": 1.0,
    "freeze_gate_independent_time_up": 1.0,
    "freeze_gate_witness_behind": 0.0,
    "freeze_gate_unreported": 0.0,
    "freeze_gate_waiting": 0.0,
    "freeze_gate_links_without_key": 0.0,
    "freeze_gate_clock_offset_seconds": 0.012,
    "freeze_gate_snapshot_build_seconds": 0.7,
}
SCALES = {
    "reserve_usd": 2e8,
    "reserve_balance": 2e4,
    "exposure_usd": 1e6,
    "exposure_coins": 1e3,
    "price_usd": 10.0,
    "hot_wallet_balance": 2e3,
    "hot_wallet_runway_seconds": 4e3,
    "silence_threshold": 14.0,
    "silence_score": 0.1,
    "detection_lead_seconds": 60.0,
    "freeze_gate_frozen": 400.0,
    "freeze_gate_links": 900.0,
}
