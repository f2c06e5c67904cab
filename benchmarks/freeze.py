"""A million freezes: how large and how quick the snapshot is, what a client needs to hold and to ask it.

Beside a client that keeps them in a dictionary, which is the obvious way, in the same run.
"""

import asyncio
import secrets
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

from monitor.clock import Clock
from monitor.freeze.database import Database
from monitor.freeze.entry import FreezeActivated, Origin
from monitor.freeze.gate import Gate
from monitor.freeze.keyring import Key, Keyring
from monitor.freeze.known import Known
from monitor.freeze.ledger import Ledger
from monitor.freeze.lock import Lock
from monitor.freeze.published import read, unpacked
from monitor.freeze.signing import Signer, Verifier
from monitor.freeze.witness import Witness

ACCOUNTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
ASKED = 20_000
SIGNER = Signer(b"s" * 32)


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        body = await _published(folder)
        await _loaded(folder)
    _held(body)


async def _published(folder: Path) -> bytes:
    clock, ledger = Clock(), _ledger(folder)
    now = clock.now()
    await ledger.begin(now)
    started = time.perf_counter()
    for start in range(0, ACCOUNTS, 5_000):
        await ledger.append(
            [
                FreezeActivated(
                    at=now,
                    account=secrets.token_bytes(16),
                    key_id="first",
                    until=now.replace(microsecond=0) + timedelta(days=2, seconds=number % 86_400),
                    requested_at=now,
                    origin=Origin.APP,
                    begins=False,
                )
                for number in range(start, min(start + 5_000, ACCOUNTS))
            ]
        )
    written = time.perf_counter() - started
    print(f"{ACCOUNTS:,} freezes written in {written:.1f} s ({ACCOUNTS / written:,.0f} a second, 5,000 together)")
    lock = Lock(ledger, Keyring([Key("first", b"1" * 32)]), clock=clock, independent=clock.now)
    gate = Gate(lock, ledger, keyring=Keyring([Key("first", b"1" * 32)]), signer=SIGNER, clock=clock)
    longest = [0.0]
    stalls = asyncio.ensure_future(_stalls(clock, longest))
    pieces = await gate.snapshot()
    stalls.cancel()
    body = b"".join(pieces)
    print(
        f"snapshot: {len(body) / 1e6:.1f} MB, built in {gate.build_seconds:.2f} s, "
        f"the loop stood still {max(longest) * 1e3:.1f} ms at most"
    )
    print(f"ledger: {_megabytes(folder / 'freeze.db')}, witness: {_megabytes(folder / 'freeze.witness')}")
    started = time.perf_counter()
    await ledger.verify()
    print(f"verified from the start in {time.perf_counter() - started:.1f} s")
    await ledger.close()
    return body


async def _stalls(clock: Clock, longest: list[float]) -> None:
    """How long the loop does not turn."""
    while True:
        before = time.perf_counter()
        await clock.sleep(0)
        longest.append(time.perf_counter() - before)


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f} MB"


async def _loaded(folder: Path) -> None:
    ledger, started = _ledger(folder), time.perf_counter()
    found = await ledger.load(Clock().now())
    print(f"started again in {time.perf_counter() - started:.1f} s, {found.wrong or 'nothing wrong'}")
    await ledger.close()


def _held(body: bytes) -> None:
    verifier = Verifier(SIGNER.public)
    started = time.perf_counter()
    found = read(body, verifier)
    known = Known(found.records)
    took = time.perf_counter() - started
    accounts = [account for account, _ in unpacked(found.records)[:: max(1, ACCOUNTS // 1_000)]]
    tracemalloc.start()
    again = Known(read(body, verifier).records)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del again
    tracemalloc.start()
    plain = dict(unpacked(read(bytes(body), verifier).records))
    plain_size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    ours = (size + len(body)) / 1e6  # it keeps the snapshot as it came
    print(f"client: verified and indexed in {took:.2f} s, holds {ours:.0f} MB; a dictionary {plain_size / 1e6:.0f} MB")
    strangers = [secrets.token_bytes(16) for _ in range(1_000)]
    ring = Keyring([Key("first", b"1" * 32)])
    rounds = [
        (
            _each(known.end, accounts),
            _each(known.end, strangers),
            _each(lambda account: plain.get(account, 0), accounts),
            _each(lambda account: ring.accounts(account.hex()), accounts),
        )
        for _ in range(5)
    ]
    there, stranger, peer, hashing = (median(each) for each in zip(*rounds, strict=True))
    print(
        f"one check: frozen {there:.2f} us, not frozen {stranger:.2f} us; a dictionary {peer:.2f} us; "
        f"hashing the account {hashing:.2f} us"
    )


def _each(ask: Callable[[bytes], object], accounts: list[bytes]) -> float:
    """Microseconds of one."""
    started = time.perf_counter()
    for number in range(ASKED):
        ask(accounts[number % len(accounts)])
    return (time.perf_counter() - started) / ASKED * 1e6


def _ledger(folder: Path) -> Ledger:
    return Ledger(Database(f"sqlite+aiosqlite:///{folder / 'freeze.db'}"), Witness(folder / "freeze.witness"))


if __name__ == "__main__":
    asyncio.run(main())
