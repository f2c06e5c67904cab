"""`SolanaChain` against the real SVM behind a shim, which misbehaves where a test says so."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random

import msgspec
import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Head, Holding, Movement, Token
from monitor.chains.solana import SolanaChain
from monitor.chains.solana_keys import TOKEN_PROGRAM, associated_account
from monitor.chains.solana_moves import SOL, Kept, transfers
from monitor.chains.solana_node import PAGES, SolanaNode, Transaction
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError
from tests.hand_clock import HandClock
from tests.loopback import BAD_GATEWAY, CUT_OFF, Answer, as_json, asks_for
from tests.solana_cluster import FEE, RENT, TOKEN_2022, Cluster
from tests.solana_shim import GENESIS, TOO_MANY_REQUESTS, UNHEALTHY, SolanaShim
from tests.tape import Replay, Tape, Teller

COIN = 10**9
DOLLAR = 10**6
DEVNET = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"


class Place:
    """A cluster, its first endpoint, and what a test opens more."""

    def __init__(self, clock: HandClock, http: Http, cluster: Cluster, shim: SolanaShim) -> None:
        self.clock = clock
        self.http = http
        self.cluster = cluster
        self.shim = shim
        self.hot, self.cold, self.stranger = Keypair(), Keypair(), Keypair()
        self.empty = Pubkey.new_unique()
        for wallet in (self.hot, self.cold, self.stranger):
            cluster.fund(wallet.pubkey(), 500 * COIN)
        self.mint, self.newer = cluster.mint(), cluster.mint(program=TOKEN_2022)
        self.usdc = Token(asset="USDC", contract=str(self.mint), decimals=6)
        self.pyusd = Token(asset="PYUSD", contract=str(self.newer), decimals=6)
        cluster.issue(self.mint, self.hot.pubkey(), 900 * DOLLAR)
        cluster.issue(self.newer, self.hot.pubkey(), 80 * DOLLAR)
        cluster.issue(self.mint, self.stranger.pubkey(), 70 * DOLLAR)
        self.advance()

    @property
    def own(self) -> list[str]:
        return [str(self.hot.pubkey()), str(self.cold.pubkey()), str(self.empty)]

    @property
    def everything(self) -> list[Holding]:
        return [Holding(address, token) for address in self.own for token in (SOL, self.usdc, self.pyusd)]

    def ledger(self, *shims: SolanaShim, transactions: int = 200) -> SolanaChain:
        return SolanaChain(
            self.http,
            self.clock,
            network="solana",
            endpoints=[Endpoint(url=shim.url, allow_private=True) for shim in shims or (self.shim,)],
            tokens=(self.usdc, self.pyusd),
            transactions=transactions,
        )

    def advance(self, slots: int = 1, *, skip: int = 0) -> None:
        self.clock.hand += 0.4 * (slots + skip)
        self.cluster.advance(slots, skip=skip)

    def truth(self) -> dict[Holding, int]:
        """What the SVM itself says, now."""
        told: dict[Holding, int] = {}
        for holding in self.everything:
            wallet, mint = Pubkey.from_string(holding.address), holding.token.contract
            if mint is None:
                told[holding] = self.cluster.svm.get_balance(wallet) or 0
            else:
                found = self.cluster.svm.get_account(self.cluster.token_account(wallet, Pubkey.from_string(mint)))
                told[holding] = int.from_bytes(found.data[64:72], "little") if found else 0
        return told

    def another(self) -> SolanaShim:
        return SolanaShim(self.cluster, host="127.0.0.2")


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    clock = HandClock()
    cluster = Cluster(clock)
    async with (
        Http(Clock(), per_second={"127.0.0.1": 1e4, "127.0.0.2": 1e4}) as http,
        SolanaShim(cluster) as shim,
    ):
        yield Place(clock, http, cluster, shim)


def changes(moves: tuple[Movement, ...]) -> dict[Holding, int]:
    total: dict[Holding, int] = {}
    for move in moves:
        for address, change in move.changes.items():
            holding = Holding(address, move.token)
            total[holding] = total.get(holding, 0) + change
    return total


class TestHead:
    async def test_is_the_newest_confirmed_block(self, place: Place) -> None:
        head = await place.ledger().head()

        newest = place.cluster.blocks[-1]
        assert (head.number, head.hash, head.timestamp.timestamp()) == (newest.slot, newest.hash, newest.time)

    async def test_of_another_chain_is_refused(self, place: Place) -> None:
        async with SolanaShim(place.cluster, genesis=DEVNET) as devnet:
            with pytest.raises(RemoteError, match="begins with EtWT") as caught:
                await place.ledger(devnet).head()
            assert caught.value.reason is FailureReason.WRONG_CHAIN

            assert (await place.ledger(devnet, place.shim).head()).number == place.cluster.slot

    async def test_that_is_old_is_refused(self, place: Place) -> None:
        place.clock.hand += 62

        with pytest.raises(RemoteError, match="s old") as caught:
            await place.ledger().head()
        assert caught.value.reason is FailureReason.LAG

    async def test_of_one_that_lags_gives_way_to_another(self, place: Place) -> None:
        place.advance(160)
        place.shim.lag = 160
        async with place.another() as other:
            ledger = place.ledger(place.shim, other)

            assert (await ledger.head()).number == place.cluster.slot
            assert sorted(tip.number - place.cluster.slot for tip in await ledger.tips()) == [-160, 0]

    async def test_never_goes_back(self, place: Place) -> None:
        ledger = place.ledger()
        await ledger.head()
        place.shim.lag = 1

        with pytest.raises(RemoteError, match="went back") as caught:
            await ledger.head()
        assert caught.value.reason is FailureReason.LAG

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            pytest.param(BAD_GATEWAY, FailureReason.HTTP_5XX, id="bad gateway"),
            pytest.param(UNHEALTHY, FailureReason.LAG, id="a node that says it is behind"),
            pytest.param(TOO_MANY_REQUESTS, FailureReason.RATE_LIMITED, id="a limit with status 200"),
            pytest.param(CUT_OFF, FailureReason.SCHEMA, id="JSON that stops"),
            pytest.param(as_json({"jsonrpc": "2.0", "id": 1}), FailureReason.SCHEMA, id="neither result nor error"),
        ],
    )
    async def test_is_not_known_from(self, place: Place, answer: Answer, reason: FailureReason) -> None:
        place.shim.door.fail(answer)

        with pytest.raises(RemoteError) as caught:
            await place.ledger().head()
        assert caught.value.reason is reason

    async def test_of_a_slot_that_cannot_be_is_refused(self, place: Place) -> None:
        place.shim.door.fail(as_json({"jsonrpc": "2.0", "result": 2**256, "id": 1}), when=asks_for('"getSlot"'))

        with pytest.raises(RemoteError, match="getSlot") as caught:
            await place.ledger().head()
        assert caught.value.reason is FailureReason.SCHEMA


class TestBlock:
    async def test_keeps_its_hash(self, place: Place) -> None:
        ledger = place.ledger()
        head = await ledger.head()
        place.advance(3)

        assert await ledger.block(head.number) == head

    async def test_of_a_skipped_slot_is_the_one_below(self, place: Place) -> None:
        below = place.cluster.slot
        place.advance(skip=4)

        assert [(await place.ledger().block(below + n)).number for n in range(6)] == [below] * 5 + [below + 5]

    async def test_that_is_not_yet_is_refused(self, place: Place) -> None:
        with pytest.raises(RemoteError) as caught:
            await place.ledger().block(place.cluster.slot + 1)
        assert caught.value.reason is FailureReason.LAG


class TestBalances:
    async def test_are_of_one_slot(self, place: Place) -> None:
        snapshot = await place.ledger().balances(place.everything)

        assert snapshot.head.hash == place.cluster.blocks[-1].hash
        assert snapshot.endpoint == "127.0.0.1"
        assert snapshot.amounts == place.truth()
        hot, empty = str(place.hot.pubkey()), str(place.empty)
        assert snapshot.amounts[Holding(hot, place.usdc)] == 900 * DOLLAR
        assert snapshot.amounts[Holding(hot, place.pyusd)] == 80 * DOLLAR  # of the newer token program
        assert snapshot.amounts[Holding(empty, SOL)] == snapshot.amounts[Holding(empty, place.usdc)] == 0

    async def test_of_many_are_asked_again_until_they_are_of_one_slot(self, place: Place) -> None:
        wallets = [Holding(str(Pubkey.new_unique()), SOL) for _ in range(150)]
        asked = iter(range(4))

        def pay(method: str) -> None:
            if method == "getMultipleAccounts" and next(asked, None) is not None:
                place.cluster.pay(place.hot, place.cold.pubkey(), COIN)
                place.advance()

        place.shim.before = pay

        snapshot = await place.ledger().balances([*place.everything, *wallets])
        assert snapshot.head.number == place.cluster.slot
        assert {holding: snapshot.amounts[holding] for holding in place.everything} == place.truth()
        assert len(snapshot.amounts) == 150 + len(place.everything)

    async def test_of_many_that_never_meet_are_refused(self, place: Place) -> None:
        wallets = [Holding(str(Pubkey.new_unique()), SOL) for _ in range(150)]
        place.shim.before = lambda method: place.advance() if method == "getMultipleAccounts" else None

        with pytest.raises(RemoteError, match="2 slots") as caught:
            await place.ledger().balances(wallets)
        assert caught.value.reason is FailureReason.LAG

    async def test_that_could_not_be_read_are_missing(self, place: Place) -> None:
        wallets = [Holding(str(Pubkey.new_unique()), SOL) for _ in range(100)]
        place.shim.door.fail(BAD_GATEWAY, when=asks_for(wallets[0].address))

        snapshot = await place.ledger().balances([*wallets, *place.everything])
        assert snapshot.amounts == place.truth()

    async def test_of_a_mint_that_is_none_are_missing(self, place: Place) -> None:
        nothing = Token(asset="NONE", contract=str(Pubkey.new_unique()), decimals=6)

        snapshot = await place.ledger().balances([*place.everything, Holding(place.own[0], nothing)])
        assert snapshot.amounts == place.truth()

    async def test_of_a_token_account_given_away_are_missing(self, place: Place) -> None:
        account = place.cluster.token_account(place.hot.pubkey(), place.mint)
        given = place.cluster.svm.get_account(account)
        assert given is not None
        theirs = given.data[:32] + bytes(place.stranger.pubkey()) + given.data[64:]
        place.cluster.svm.set_account(account, type(given)(given.lamports, theirs, given.owner))

        snapshot = await place.ledger().balances(place.everything)
        assert Holding(place.own[0], place.usdc) not in snapshot.amounts

    async def test_of_more_tokens_than_can_be_are_missing(self, place: Place) -> None:
        account = place.cluster.token_account(place.hot.pubkey(), place.mint)
        was = place.cluster.svm.get_account(account)
        assert was is not None
        many = was.data[:64] + (2**63).to_bytes(8, "little") + was.data[72:]
        place.cluster.svm.set_account(account, type(was)(was.lamports, many, was.owner))

        snapshot = await place.ledger().balances(place.everything)
        assert set(place.everything) - snapshot.amounts.keys() == {Holding(place.own[0], place.usdc)}

    async def test_of_lamports_where_a_token_account_could_be_are_no_tokens(self, place: Place) -> None:
        place.cluster.pay(place.stranger, place.cluster.token_account(place.cold.pubkey(), place.mint), COIN)
        place.advance()

        snapshot = await place.ledger().balances(place.everything)
        assert snapshot.amounts[Holding(place.own[1], place.usdc)] == 0

    async def test_come_from_another_endpoint_when_one_fails(self, place: Place) -> None:
        async with place.another() as other:
            ledger = place.ledger(place.shim, other)
            place.shim.door.fail(BAD_GATEWAY)

            snapshot = await ledger.balances(place.everything)
            assert (snapshot.endpoint, snapshot.amounts) == ("127.0.0.2", place.truth())


class TestSecond:
    async def test_is_of_the_same_slot_though_others_followed(self, place: Place) -> None:
        async with place.another() as other:
            ledger = place.ledger(place.shim, other)
            first = await ledger.balances(place.everything)
            place.cluster.pay(place.hot, place.cold.pubkey(), 7 * COIN)
            place.cluster.send_token(place.mint, place.hot, place.cold.pubkey(), 5 * DOLLAR, opens=True)
            place.advance(4)

            second = await ledger.second(place.everything, first=first)
            assert (second.head, second.endpoint) == (first.head, "127.0.0.2")
            assert second.amounts == first.amounts != place.truth()

    async def test_shows_a_lie(self, place: Place) -> None:
        async with place.another() as other:
            ledger = place.ledger(place.shim, other)
            place.shim.lies[place.own[0]] = -400 * COIN
            first = await ledger.balances(place.everything)

            second = await ledger.second(place.everything, first=first)
            assert second.amounts == place.truth() != first.amounts

    async def test_of_one_that_is_behind_is_refused(self, place: Place) -> None:
        async with place.another() as other:
            ledger = place.ledger(place.shim, other)
            first = await ledger.balances(place.everything)
            other.lag = 1

            with pytest.raises(RemoteError, match="not available") as caught:
                await ledger.second(place.everything, first=first)
            assert caught.value.reason is FailureReason.LAG

    async def test_of_another_block_is_refused(self, place: Place) -> None:
        async with place.another() as other:
            ledger = place.ledger(place.shim, other)
            first = await ledger.balances(place.everything)
            place.cluster.blocks[-1].hash = GENESIS

            with pytest.raises(RemoteError, match="has another block") as caught:
                await ledger.second(place.everything, first=first)
            assert caught.value.reason is FailureReason.LAG


class TestMovements:
    async def test_add_up_to_the_change_of_every_balance(self, place: Place) -> None:
        ledger, cluster = place.ledger(), place.cluster
        first = await ledger.balances(place.everything)
        cluster.pay(place.hot, place.empty, 7 * COIN)
        cluster.pay(place.stranger, place.cold.pubkey(), 11 * COIN)
        cluster.pay(place.hot, place.stranger.pubkey(), 3 * COIN, payer=place.cold)
        cluster.pay(place.hot, place.stranger.pubkey(), 9_999 * COIN)
        place.advance(2)
        cluster.send_token(place.mint, place.hot, place.cold.pubkey(), 30 * DOLLAR, opens=True)
        cluster.send_token(place.mint, place.stranger, place.cold.pubkey(), 4 * DOLLAR)
        cluster.send_token(place.newer, place.hot, place.stranger.pubkey(), 6 * DOLLAR, opens=True)
        cluster.send_token(place.mint, place.hot, place.stranger.pubkey(), 9_999 * DOLLAR)
        place.advance(5, skip=2)
        second = await ledger.balances(place.everything)

        read = await ledger.movements(place.own, after=first.head, upto=second.head)

        assert read.coverage == 1.0
        total = changes(read.moves)
        assert {each: second.amounts[each] - first.amounts[each] for each in place.everything} == {
            each: total.get(each, 0) for each in place.everything
        }
        assert second.amounts[Holding(place.own[1], place.usdc)] == 34 * DOLLAR
        assert sum(move.fee for move in read.moves) == 7 * FEE  # the one of two signers is twice as much

    @pytest.mark.parametrize("seed", range(3))
    async def test_of_any_history_add_up_though_an_endpoint_fails_now_and_then(self, place: Place, seed: int) -> None:
        chance = Random(seed)
        wallets = [place.hot, place.cold, place.stranger]
        async with place.another() as other:
            ledger = place.ledger(place.shim, other)
            last = await ledger.balances(place.everything)
            for _ in range(6):
                for _ in range(chance.randrange(5)):
                    sender, receiver = chance.sample(wallets, 2)
                    amount = chance.randrange(1, 30 * DOLLAR)
                    if chance.random() < 0.5:
                        payer = chance.choice([None, receiver])
                        place.cluster.pay(sender, chance.choice([receiver.pubkey(), place.empty]), COIN, payer=payer)
                    else:
                        mint = chance.choice([place.mint, place.newer])
                        place.cluster.send_token(mint, place.hot, receiver.pubkey(), amount, opens=True)
                place.advance(chance.randrange(1, 4), skip=chance.randrange(3))
                for door in (place.shim.door, other.door):
                    door.recover()
                chance.choice([place.shim, other]).door.fail(BAD_GATEWAY, times=chance.randrange(2))
                now = await ledger.balances(place.everything)
                read = await ledger.movements(place.own, after=last.head, upto=now.head)
                total = changes(read.moves)
                assert read.coverage == 1.0
                assert now.amounts == {each: last.amounts[each] + total.get(each, 0) for each in place.everything}
                last = now

    async def test_tell_payments_to_others_and_who_signed(self, place: Place) -> None:
        ledger = place.ledger()
        hot = place.own[0]
        receiver = Pubkey.new_unique()
        after = await ledger.head()
        place.cluster.send_token(place.mint, place.hot, receiver, 25 * DOLLAR, opens=True)
        place.advance()

        read = await ledger.movements([hot], after=after, upto=await ledger.head())

        by_asset = {move.token.asset: move for move in read.moves}
        assert by_asset["USDC"].payments == ((str(receiver), 25 * DOLLAR),)
        assert by_asset["USDC"].changes == {hot: -25 * DOLLAR}
        assert by_asset["SOL"].changes == {hot: -FEE - RENT}
        assert (by_asset["SOL"].fee, by_asset["SOL"].payments) == (FEE, ())  # what an account costs pays nobody
        assert {(move.transaction, move.senders) for move in read.moves} == {
            (place.cluster.done[-1].signature, (hot,)),
        }

    async def test_of_own_addresses_to_each_other_are_no_payments(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.cluster.pay(place.hot, place.cold.pubkey(), 3 * COIN)
        place.advance()

        [move] = (await ledger.movements(place.own, after=after, upto=await ledger.head())).moves
        assert move.changes == {place.own[0]: -3 * COIN - FEE, place.own[1]: 3 * COIN}
        assert move.payments == ()

    async def test_asked_for_twice_cost_once(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.cluster.pay(place.hot, place.cold.pubkey(), 3 * COIN)
        place.advance()
        upto = await ledger.head()
        await ledger.movements(place.own, after=after, upto=upto)
        asked = sum(place.shim.methods.values())
        assert place.shim.methods["getTransaction"] == 1

        again = await ledger.movements(place.own[:1], after=after, upto=upto)
        assert len(again.moves) == 1
        assert sum(place.shim.methods.values()) == asked

    async def test_look_no_further_back_than_the_last_look(self, place: Place) -> None:
        ledger = place.ledger()
        head = await ledger.head()
        for _ in range(3):
            for _ in range(120):
                place.cluster.pay(place.stranger, place.cold.pubkey(), COIN // 1000)
            place.advance()
            after, head = head, await ledger.head()
            read = await ledger.movements(place.own[1:2], after=after, upto=head)
            assert (len(read.moves), read.coverage) == (120, 1.0)
        assert place.shim.served == 360

    async def test_beyond_what_a_look_may_cost_are_not_covered(self, place: Place) -> None:
        ledger = place.ledger(transactions=5)
        after = await ledger.head()
        for _ in range(9):
            place.cluster.pay(place.hot, place.stranger.pubkey(), COIN)
            place.advance()
        place.cluster.pay(place.stranger, place.cold.pubkey(), COIN)
        place.advance()

        read = await ledger.movements(place.own, after=after, upto=await ledger.head())

        assert read.coverage == pytest.approx(2 / 3)
        assert [move for move in read.moves if place.own[1] in move.changes]  # the one with few is whole
        newest = max(move.block.number for move in read.moves if place.own[0] in move.changes)
        assert (len(read.moves), newest) == (5, place.cluster.slot - 1)

    async def test_whose_list_could_not_be_read_are_not_covered(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.cluster.pay(place.hot, place.stranger.pubkey(), COIN)
        place.advance()
        place.shim.door.fail(BAD_GATEWAY, when=asks_for(f'"getSignaturesForAddress","params":["{place.own[0]}"'))

        read = await ledger.movements(place.own, after=after, upto=await ledger.head())
        assert read.coverage == pytest.approx(2 / 3)

    async def test_of_which_one_is_forgotten_are_not_covered(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.cluster.pay(place.hot, place.stranger.pubkey(), COIN)
        place.cluster.pay(place.cold, place.stranger.pubkey(), COIN)
        place.advance()
        place.shim.forgets.add(place.cluster.done[-2].signature)

        read = await ledger.movements(place.own, after=after, upto=await ledger.head())
        assert read.coverage == pytest.approx(2 / 3)
        assert [move.senders for move in read.moves] == [(place.own[1],)]

    async def test_of_which_none_is_there_are_refused(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.cluster.pay(place.hot, place.stranger.pubkey(), COIN)
        place.advance()
        place.shim.forgets.add(place.cluster.done[-1].signature)

        with pytest.raises(RemoteError, match="is not there") as caught:
            await ledger.movements(place.own, after=after, upto=await ledger.head())
        assert caught.value.reason is FailureReason.LAG

    async def test_above_a_block_that_is_gone_are_refused(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.advance()
        place.cluster.blocks[-2].hash = GENESIS

        with pytest.raises(RemoteError) as caught:
            await ledger.movements(place.own, after=after, upto=await ledger.head())
        assert caught.value.reason is FailureReason.LAG


@pytest.mark.parametrize("code", [-32007, -32009])
@pytest.mark.parametrize(
    "method",
    ["getGenesisHash", "getSlot", "getBlocks", "getMultipleAccounts", "getSignaturesForAddress", "getTransaction"],
)
async def test_a_slot_skipped_is_no_answer_to(place: Place, method: str, code: int) -> None:
    after = await place.ledger().head()
    place.cluster.pay(place.hot, place.cold.pubkey(), COIN)
    place.advance(skip=1)
    upto = await place.ledger().head()
    skipped = as_json({"jsonrpc": "2.0", "error": {"code": code, "message": "Slot was skipped"}, "id": 1})
    place.shim.door.fail(skipped, when=asks_for(f'"{method}"'))

    async def ask(ledger: SolanaChain) -> None:
        await ledger.movements(place.own, after=after, upto=upto)
        await ledger.block(upto.number - 1)

    with pytest.raises(RemoteError, match=method) as caught:
        await ask(place.ledger())
    assert caught.value.reason is FailureReason.LAG


async def test_pages_of_transactions_end() -> None:
    names = itertools.count()

    def page(_kind: str, _body: bytes, _other: bytes) -> bytes:
        return msgspec.json.encode({"result": [{"signature": f"{next(names)}", "slot": 9} for _ in range(100)]})

    http = Replay(Teller(Tape(), page, Random(0), most=PAGES))
    node = SolanaNode(http, Endpoint(url="http://one.example.org"))
    with pytest.raises(RemoteError, match="pages") as caught:
        await node.signatures("somebody", after=1, upto=5, until="", most=10)
    assert caught.value.reason is FailureReason.TOO_LARGE


HEAD = Head(number=1, hash="h", timestamp=datetime(2026, 2, 3, tzinfo=UTC))
USDC = Token(asset="USDC", contract="Mint", decimals=6)


def _token(place: int, owner: str, amount: int, *, mint: str = "Mint") -> dict[str, object]:
    return {"accountIndex": place, "mint": mint, "owner": owner, "uiTokenAmount": {"amount": str(amount)}}


def _told(*, lamports: list[tuple[int, int]], before: list[object], after: list[object]) -> Transaction:
    """A versioned transaction of `payer`, with two accounts of the message and the others out of lookup tables."""
    loaded = {"writable": ["theirs", "spare", "fresh"][: len(lamports) - 2], "readonly": []}
    return msgspec.convert(
        {
            "slot": 1,
            "version": 0,
            "transaction": {
                "signatures": ["s"],
                "message": {"accountKeys": ["payer", "ours"], "header": {"numRequiredSignatures": 1}},
            },
            "meta": {
                "fee": 10,
                "preBalances": [was for was, _ in lamports],
                "postBalances": [now for _, now in lamports],
                "preTokenBalances": before,
                "postTokenBalances": after,
                "loadedAddresses": loaded,
            },
        },
        type=Transaction,
    )


@pytest.mark.parametrize(
    ("transaction", "expected"),
    [
        pytest.param(
            _told(
                lamports=[(100, 90), (5, 5), (5, 5)],
                before=[_token(1, "payer", 50), _token(2, "friend", 0)],
                after=[_token(1, "payer", 20), _token(2, "friend", 30)],
            ),
            [("SOL", "payer", None, 10), ("USDC", "payer", "friend", 30)],
            id="to the owner of an account out of a lookup table",
        ),
        pytest.param(
            _told(
                lamports=[(100, 90), (5, 5), (5, 5), (5, 5)],
                before=[_token(1, "payer", 50), _token(3, "payer", 0)],
                after=[_token(1, "payer", 20), _token(3, "payer", 30)],
            ),
            [("SOL", "payer", None, 10), ("USDC", "payer", "spare", 30)],
            id="to another account of the same owner, which we do not count",
        ),
        pytest.param(
            _told(
                lamports=[(100, 88), (5, 5), (0, 2)],
                before=[_token(1, "payer", 50)],
                after=[_token(1, "payer", 50), _token(2, "friend", 0)],
            ),
            [("SOL", "payer", None, 10), ("SOL", "payer", None, 2)],
            id="what a new token account costs",
        ),
        pytest.param(
            _told(
                lamports=[(100, 90), (5, 5)],
                before=[_token(1, "payer", 50, mint="Other")],
                after=[_token(1, "payer", 20, mint="Other")],
            ),
            [("SOL", "payer", None, 10)],
            id="a token that is not ours",
        ),
        pytest.param(
            _told(lamports=[(100, 90), (5, 5)], before=[_token(1, "payer", 50)], after=[_token(1, "payer", 20)]),
            [("SOL", "payer", None, 10), ("USDC", "payer", "", 30)],
            id="tokens that are burnt",
        ),
    ],
)
def test_a_transaction_moves(transaction: Transaction, expected: list[tuple[str, str, str | None, int]]) -> None:
    kept = {"ours": Kept("payer", USDC)}

    moved = list(transfers(transaction, block=HEAD, kept=kept, mints={"Mint": USDC}))

    assert transaction.is_whole()
    assert [
        (
            each.token.asset,
            each.sources[0][0],
            each.destinations[0][0] if each.destinations else None,
            each.sources[0][1],
        )
        for each in moved
    ] == expected


def test_an_associated_account_is_where_wallets_put_it() -> None:
    for _ in range(50):
        owner, mint = Pubkey.new_unique(), Pubkey.new_unique()
        ours = associated_account(str(owner), mint=str(mint), program=TOKEN_PROGRAM)
        assert ours == str(get_associated_token_address(owner, mint))
