"""`XrpChain` against a small XRP Ledger that speaks rippled's JSON-RPC, and that misbehaves where a test says so."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from random import Random

import msgspec
import pytest

from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Head, Holding, Movement, Token
from monitor.chains.xrp import XrpChain
from monitor.chains.xrp_moves import XRP, transfers
from monitor.chains.xrp_node import Entry
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError
from tests.hand_clock import HandClock
from tests.loopback import CUT_OFF, Answer, as_json, asks_for
from tests.xrp_ledger import DELETION_FEE, FEE, XrpLedger
from tests.xrp_server import OVERLOADED, SLOW_DOWN, TOO_BUSY, Standing, XrpServer
from tests.xrp_state import account

HOT, COLD, EMPTY, STRANGER, ISSUER = (account(name) for name in ("hot", "cold", "empty", "stranger", "issuer"))
OWN = [HOT, COLD, EMPTY]
HOLDINGS = [Holding(address, XRP) for address in OWN]
COIN = 1_000_000


class Place:
    """A ledger, its first endpoint, and what a test opens more."""

    def __init__(self, clock: HandClock, http: Http, chain: XrpLedger, server: XrpServer) -> None:
        self.clock = clock
        self.http = http
        self.chain = chain
        self.server = server

    def ledger(self, *servers: XrpServer, network_id: int = 0) -> XrpChain:
        return XrpChain(
            self.http,
            self.clock,
            network="xrp",
            endpoints=[Endpoint(url=server.url, allow_private=True) for server in servers or (self.server,)],
            network_id=network_id,
        )

    def close(self, ledgers: int = 1) -> None:
        self.clock.hand += 4 * ledgers
        self.chain.close(ledgers)

    def truth(self) -> dict[Holding, int]:
        """What the ledger itself says, as of its newest."""
        roots = self.chain.newest.state.roots
        return {each: roots[each.address].balance if each.address in roots else 0 for each in HOLDINGS}

    def another(self, *, network_id: int | None = 0) -> XrpServer:
        return XrpServer(self.chain, self.clock, network_id=network_id, host="127.0.0.2")


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    clock = HandClock()
    chain = XrpLedger(clock)
    for address in (HOT, COLD, STRANGER, ISSUER):
        chain.fund(address, 5_000 * COIN)
    async with (
        Http(Clock(), per_second={"127.0.0.1": 1e4, "127.0.0.2": 1e4}) as http,
        XrpServer(chain, clock) as server,
    ):
        here = Place(clock, http, chain, server)
        here.close()
        yield here


def changes(moves: tuple[Movement, ...]) -> dict[Holding, int]:
    total: dict[Holding, int] = dict.fromkeys(HOLDINGS, 0)
    for move in moves:
        for address, change in move.changes.items():
            total[Holding(address, move.token)] += change
    return total


class TestHead:
    async def test_is_the_newest_validated_ledger(self, place: Place) -> None:
        head = await place.ledger().head()

        newest = place.chain.newest
        assert (head.number, head.hash) == (newest.index, newest.hash)
        assert head.timestamp == place.clock.now()

    async def test_of_a_server_too_old_to_tell_its_network_is_taken(self, place: Place) -> None:
        place.server.network_id = None

        assert (await place.ledger().head()).number == place.chain.newest.index

    async def test_of_another_network_is_refused(self, place: Place) -> None:
        place.server.network_id = 1
        with pytest.raises(RemoteError, match="expected network 0, this is 1") as caught:
            await place.ledger().head()
        assert caught.value.reason is FailureReason.WRONG_CHAIN

        async with place.another() as right:
            assert (await place.ledger(place.server, right).head()).number == place.chain.newest.index

    async def test_that_is_old_is_refused(self, place: Place) -> None:
        place.clock.hand += 61

        with pytest.raises(RemoteError, match="61 s old") as caught:
            await place.ledger().head()
        assert caught.value.reason is FailureReason.LAG

    async def test_of_one_that_lags_gives_way_to_another(self, place: Place) -> None:
        place.close(20)
        place.server.lag = 20
        async with place.another() as other:
            ledger = place.ledger(place.server, other)

            assert (await ledger.head()).number == place.chain.newest.index
            assert sorted(tip.number - place.chain.newest.index for tip in await ledger.tips()) == [-20, 0]

    async def test_never_goes_back(self, place: Place) -> None:
        ledger = place.ledger()
        await ledger.head()
        place.server.lag = 1

        with pytest.raises(RemoteError, match="went back") as caught:
            await ledger.head()
        assert caught.value.reason is FailureReason.LAG

    @pytest.mark.parametrize("standing", [Standing.SYNCING, Standing.CONNECTED])
    async def test_is_not_known_to_one_that_syncs(self, place: Place, standing: Standing) -> None:
        place.server.standing = standing

        with pytest.raises(RemoteError, match=standing.value) as caught:
            await place.ledger().head()
        assert caught.value.reason is FailureReason.LAG

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            pytest.param(OVERLOADED, FailureReason.HTTP_5XX, id="503"),
            pytest.param(SLOW_DOWN, FailureReason.RATE_LIMITED, id="slowDown with status 200"),
            pytest.param(TOO_BUSY, FailureReason.RATE_LIMITED, id="tooBusy with status 200"),
            pytest.param(CUT_OFF, FailureReason.SCHEMA, id="JSON that stops"),
            pytest.param(as_json({"result": {"status": "success"}}), FailureReason.SCHEMA, id="nothing told"),
        ],
    )
    async def test_is_not_known_from(self, place: Place, answer: Answer, reason: FailureReason) -> None:
        place.server.door.fail(answer)

        with pytest.raises(RemoteError) as caught:
            await place.ledger().head()
        assert caught.value.reason is reason


class TestBalances:
    async def test_are_of_the_newest_ledger(self, place: Place) -> None:
        place.chain.pay(HOT, STRANGER, COIN)  # in the open ledger, and not validated
        snapshot = await place.ledger().balances(HOLDINGS)

        assert snapshot.head.hash == place.chain.newest.hash
        assert snapshot.endpoint == "127.0.0.1"
        assert snapshot.amounts == place.truth() == dict(zip(HOLDINGS, (5_000 * COIN, 5_000 * COIN, 0), strict=True))

    async def test_that_could_not_be_read_are_missing(self, place: Place) -> None:
        place.server.door.fail(OVERLOADED, when=asks_for(HOT))

        snapshot = await place.ledger().balances(HOLDINGS)
        assert list(snapshot.amounts) == HOLDINGS[1:]

    async def test_of_an_address_that_is_none_are_missing(self, place: Place) -> None:
        nowhere = Holding("rNowhereNowhereNowhereNowhereNowhe", XRP)

        snapshot = await place.ledger().balances([*HOLDINGS, nowhere])
        assert list(snapshot.amounts) == HOLDINGS

    async def test_of_tokens_are_missing(self, place: Place) -> None:
        dollars = Holding(HOT, Token(asset="USD", contract=ISSUER, decimals=6))

        assert (await place.ledger().balances([dollars])).amounts == {}

    async def test_come_from_another_endpoint_when_one_fails(self, place: Place) -> None:
        async with place.another() as other:
            ledger = place.ledger(place.server, other)
            place.server.door.fail(OVERLOADED)

            snapshot = await ledger.balances(HOLDINGS)
            assert (snapshot.endpoint, snapshot.amounts) == ("127.0.0.2", place.truth())


class TestSecond:
    async def test_is_of_the_same_ledger_though_others_followed(self, place: Place) -> None:
        async with place.another() as other:
            ledger = place.ledger(place.server, other)
            first = await ledger.balances(HOLDINGS)
            place.chain.pay(HOT, COLD, 7 * COIN)
            place.close(3)

            second = await ledger.second(HOLDINGS, first=first)
            assert (second.head, second.endpoint) == (first.head, "127.0.0.2")
            assert second.amounts == first.amounts != place.truth()

    async def test_shows_a_lie(self, place: Place) -> None:
        async with place.another() as other:
            ledger = place.ledger(place.server, other)
            place.server.lies[HOT] = -4_000 * COIN
            first = await ledger.balances(HOLDINGS)

            second = await ledger.second(HOLDINGS, first=first)
            assert first.amounts[HOLDINGS[0]] == 1_000 * COIN
            assert second.amounts == place.truth()

    async def test_of_one_that_is_behind_is_refused(self, place: Place) -> None:
        async with place.another() as other:
            ledger = place.ledger(place.server, other)
            first = await ledger.balances(HOLDINGS)
            other.lag = 1

            with pytest.raises(RemoteError, match="lgrNotFound") as caught:
                await ledger.second(HOLDINGS, first=first)
            assert caught.value.reason is FailureReason.LAG

    async def test_of_another_history_is_a_disagreement(self, place: Place) -> None:
        elsewhere = XrpLedger(HandClock(), length=len(place.chain.ledgers))
        async with XrpServer(elsewhere, place.clock, host="127.0.0.2") as other:
            ledger = place.ledger(place.server, other)
            first = await ledger.balances(HOLDINGS)

            with pytest.raises(RemoteError) as caught:
                await ledger.second(HOLDINGS, first=first)
            assert caught.value.reason is FailureReason.DISAGREEMENT


class TestMovements:
    async def test_add_up_to_the_change_of_every_balance(self, place: Place) -> None:
        ledger = place.ledger()
        first = await ledger.balances(HOLDINGS)
        place.chain.pay(HOT, EMPTY, 70 * COIN)
        place.chain.pay(STRANGER, COLD, 11 * COIN)
        place.chain.pay(HOT, STRANGER, 2 * COIN, claims=900 * COIN)
        place.chain.fail_to_pay(HOT, STRANGER, 9_999 * COIN)
        place.close(2)
        place.chain.pay_token(COLD, STRANGER, "500", issuer=ISSUER)
        place.chain.trust(STRANGER, COLD)
        place.chain.sell(STRANGER, HOT, 30 * COIN)
        place.chain.lock(COLD, STRANGER, 100 * COIN)
        place.close()
        place.chain.release(HOT, STRANGER, 40 * COIN)
        place.chain.release(STRANGER, COLD, 60 * COIN)
        place.chain.delete(EMPTY, beneficiary=HOT)
        place.close(3)
        second = await ledger.balances(HOLDINGS)

        read = await ledger.movements(OWN, after=first.head, upto=second.head)

        assert read.coverage == 1.0
        assert changes(read.moves) == {each: second.amounts[each] - first.amounts[each] for each in HOLDINGS}
        assert sum(move.fee for move in read.moves) == 6 * FEE + DELETION_FEE

    @pytest.mark.parametrize("seed", range(4))
    async def test_of_any_history_add_up_though_an_endpoint_fails_now_and_then(self, place: Place, seed: int) -> None:
        chance = Random(seed)
        async with place.another() as other:
            ledger = place.ledger(place.server, other)
            last = await ledger.balances(HOLDINGS)
            for _ in range(6):
                for _ in range(chance.randrange(5)):
                    sender, receiver = chance.sample([HOT, COLD, STRANGER, ISSUER], 2)
                    drops = chance.randrange(1, 50 * COIN)
                    match chance.randrange(6):
                        case 0:
                            place.chain.sell(sender, receiver, drops)
                        case 1:
                            place.chain.fail_to_pay(sender, receiver, drops)
                        case 2:
                            place.chain.lock(sender, receiver, drops)
                        case 3:
                            place.chain.pay(sender, receiver, drops, claims=9 * drops)
                        case _:
                            place.chain.pay(sender, chance.choice([receiver, EMPTY]), drops)
                    if chance.random() < 0.3:
                        place.close()
                place.close(chance.randrange(1, 4))
                for door in (place.server.door, other.door):
                    door.recover()
                chance.choice([place.server, other]).door.fail(OVERLOADED, times=chance.randrange(3))
                now = await ledger.balances(HOLDINGS)
                read = await ledger.movements(OWN, after=last.head, upto=now.head)
                assert read.coverage == 1.0
                assert changes(read.moves) == {each: now.amounts[each] - last.amounts[each] for each in HOLDINGS}
                last = now

    @pytest.mark.parametrize(
        ("script", "payments", "change", "senders"),
        [
            pytest.param(
                lambda chain: chain.pay(HOT, STRANGER, 2 * COIN),
                ((STRANGER, 2 * COIN),),
                -2 * COIN - FEE,
                (HOT,),
                id="a payment",
            ),
            pytest.param(
                lambda chain: chain.pay(HOT, STRANGER, 2 * COIN, claims=900 * COIN),
                ((STRANGER, 2 * COIN),),
                -2 * COIN - FEE,
                (HOT,),
                id="a partial payment, which claims more than it delivers",
            ),
            pytest.param(
                lambda chain: chain.fail_to_pay(HOT, STRANGER, 5 * COIN), (), -FEE, (HOT,), id="a payment that failed"
            ),
            pytest.param(
                lambda chain: chain.pay_token(HOT, STRANGER, "5", issuer=ISSUER), (), -FEE, (HOT,), id="a token's"
            ),
            pytest.param(
                lambda chain: chain.sell(STRANGER, HOT, 3 * COIN),
                ((STRANGER, 3 * COIN),),
                -3 * COIN,
                (),
                id="an offer that another took",
            ),
            pytest.param(
                lambda chain: chain.lock(HOT, STRANGER, 4 * COIN),
                (("", 4 * COIN),),
                -4 * COIN - FEE,
                (HOT,),
                id="what went into an escrow",
            ),
            pytest.param(lambda chain: chain.pay(STRANGER, HOT, COIN), (), COIN, (), id="what came in"),
        ],
    )
    async def test_tell_payments_to_others_and_who_signed(
        self,
        place: Place,
        script: Callable[[XrpLedger], str],
        payments: tuple[tuple[str, int], ...],
        change: int,
        senders: tuple[str, ...],
    ) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        name = script(place.chain)
        place.close()

        [move] = (await ledger.movements([HOT, COLD], after=after, upto=await ledger.head())).moves

        assert (move.transaction, move.payments, move.changes) == (name, payments, {HOT: change})
        assert (move.senders, move.fee) == (senders, FEE if senders else 0)

    async def test_of_own_addresses_to_each_other_are_no_payments(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.chain.pay(HOT, COLD, 3 * COIN)
        place.close()

        [move] = (await ledger.movements(OWN, after=after, upto=await ledger.head())).moves
        assert (move.changes, move.payments) == ({HOT: -3 * COIN - FEE, COLD: 3 * COIN}, ())

    async def test_are_read_over_pages(self, place: Place) -> None:
        place.server.page = 3
        ledger = place.ledger()
        after = await ledger.head()
        for _ in range(11):
            place.chain.pay(HOT, STRANGER, COIN)
        place.close(2)

        moves = (await ledger.movements([HOT], after=after, upto=await ledger.head())).moves
        assert len(moves) == 11
        assert place.server.methods["account_tx"] == 4

    async def test_ask_only_accounts_that_changed_and_nothing_twice(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.chain.pay(HOT, STRANGER, COIN)
        place.close()
        snapshot = await ledger.balances(HOLDINGS)
        await ledger.movements([HOT, COLD], after=after, upto=snapshot.head)
        assert (place.server.methods["account_info"], place.server.methods["account_tx"]) == (3, 1)
        asked = sum(place.server.methods.values())

        again = await ledger.movements([HOT], after=after, upto=snapshot.head)
        assert len(again.moves) == 1
        assert sum(place.server.methods.values()) == asked

    async def test_with_a_gap_in_the_history_are_refused(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.chain.pay(HOT, STRANGER, COIN)
        place.close(4)
        place.server.missing.add(place.chain.newest.index - 1)

        with pytest.raises(RemoteError, match="searched") as caught:
            await ledger.movements([HOT], after=after, upto=await ledger.head())
        assert caught.value.reason is FailureReason.LAG

    async def test_of_an_account_that_could_not_be_read_are_not_covered(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.chain.pay(HOT, COLD, COIN)
        place.close()
        place.server.door.fail(
            OVERLOADED, when=lambda asked: b"account_tx" in asked.body and HOT.encode() in asked.body
        )

        read = await ledger.movements([HOT, COLD], after=after, upto=await ledger.head())
        assert read.coverage == 0.5

    async def test_above_a_ledger_of_another_history_are_refused(self, place: Place) -> None:
        ledger = place.ledger()
        head = await ledger.head()
        place.close()
        other = Head(number=head.number, hash="0" * 64, timestamp=head.timestamp)

        with pytest.raises(RemoteError) as caught:
            await ledger.movements([HOT], after=other, upto=await ledger.head())
        assert caught.value.reason is FailureReason.LAG


async def test_a_ledger_keeps_its_hash(place: Place) -> None:
    ledger = place.ledger()
    head = await ledger.head()
    place.close(3)

    assert await ledger.block(head.number) == head
    with pytest.raises(RemoteError) as caught:
        await ledger.block(head.number + 10)
    assert caught.value.reason is FailureReason.LAG


def _root(address: str, was: int, now: int) -> dict[str, object]:
    fields = {"Account": address, "Balance": str(now)}
    node = {"LedgerEntryType": "AccountRoot", "FinalFields": fields, "PreviousFields": {"Balance": str(was)}}
    return {"ModifiedNode": node}


def _entry(nodes: list[dict[str, object]], **tx: object) -> Entry:
    sent = {"Account": HOT, "Fee": "10", "hash": "A" * 64, "ledger_index": 5, "Amount": "999999", **tx}
    meta = {"AffectedNodes": nodes, "TransactionIndex": 0, "TransactionResult": "tesSUCCESS"}
    return msgspec.json.decode(msgspec.json.encode({"tx": sent, "meta": meta, "validated": True}), type=Entry)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(
            _entry([_root(HOT, 500, 470), _root(COLD, 100, 60), _root(STRANGER, 0, 60)]),
            [(HOT, None, 10), (HOT, STRANGER, 20), (COLD, STRANGER, 40)],
            id="one that two pay, each its own share",
        ),
        pytest.param(
            _entry([_root(HOT, 500, 480), _root(COLD, 100, 90), _root(STRANGER, 0, 20)], Delegate=COLD),
            [(COLD, None, 10), (HOT, STRANGER, 20)],
            id="a fee that a delegate pays",
        ),
        pytest.param(
            _entry([_root(STRANGER, 0, 20)], Account=STRANGER),
            [(STRANGER, None, 10), ("", STRANGER, 30)],
            id="what comes out of an escrow",
        ),
        pytest.param(_entry([]), [(HOT, None, 10), ("", HOT, 10)], id="no change but a fee that came back"),
    ],
)
def test_a_transaction_moves(entry: Entry, expected: list[tuple[str, str | None, int]]) -> None:
    moved = transfers(entry, block=Head(number=5, hash="L", timestamp=datetime(2026, 2, 3, tzinfo=UTC)))

    assert [
        (each.sources[0][0], each.destinations[0][0] if each.destinations else None, each.sources[0][1])
        for each in moved
    ] == expected
