"""`TronChain` against a small Tron that speaks java-tron's HTTP API, and that misbehaves where a test says so."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from random import Random

import msgspec
import pytest

from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Holding, Movement, Token
from monitor.chains.tron import TronChain
from monitor.chains.tron_messages import Block, TransactionInfo
from monitor.chains.tron_moves import TRX, transfers
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError
from tests.hand_clock import HandClock
from tests.loopback import BAD_GATEWAY, Answer, Asked, as_json, asks_for
from tests.tron_chain import TOKEN_FEE
from tests.tron_chain import TronChain as Chain
from tests.tron_server import JAVA_ERROR, NILE, TronServer
from tests.tron_stakes import delegate, freeze, freeze_first, undelegate, unfreeze
from tests.tron_state import Outcome, Resource, Sent, account, in_hex

HOT, COLD, EMPTY, STRANGER = account("hot"), account("cold"), account("empty"), account("stranger")
COIN = 1_000_000


class Place:
    """A chain, its first endpoint, and what a test opens more."""

    def __init__(self, clock: HandClock, http: Http, chain: Chain, server: TronServer, usdt: Token) -> None:
        self.clock = clock
        self.http = http
        self.chain = chain
        self.server = server
        self.usdt = usdt

    def ledger(self, *servers: TronServer, api_key: str = "", tokens: tuple[Token, ...] = ()) -> TronChain:
        return TronChain(
            self.http,
            self.clock,
            network="tron",
            endpoints=[Endpoint(url=server.url, allow_private=True) for server in servers or (self.server,)],
            tokens=(self.usdt, *tokens),
            api_key=api_key,
        )

    def mine(self, blocks: int = 1) -> None:
        self.clock.hand += 3 * blocks
        self.chain.mine(blocks)

    @property
    def everything(self) -> list[Holding]:
        return [Holding(address, token) for address in (HOT, COLD, EMPTY) for token in (TRX, self.usdt)]

    def truth(self) -> dict[Holding, int]:
        """What the chain itself says, as of its newest block."""
        state = self.chain.head.state
        told: dict[Holding, int] = {}
        for holding in self.everything:
            found = state.accounts.get(holding.address)
            if holding.token.contract is None:
                told[holding] = found.total() if found else 0
            else:
                told[holding] = state.tokens[holding.token.contract].balances.get(holding.address, 0)
        return told


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    clock = HandClock()
    chain = Chain(clock)
    usdt = Token(asset="USDT", contract=chain.issue("USDT", decimals=6, holder=HOT, amount=900 * COIN), decimals=6)
    for address in (HOT, COLD, STRANGER):
        chain.fund(address, 5_000 * COIN)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(Http(Clock(), per_second={"127.0.0.1": 1e4, "127.0.0.2": 1e4}))
        server = await stack.enter_async_context(TronServer(chain))
        here = Place(clock, http, chain, server, usdt)
        here.mine()
        yield here


def changes(moves: tuple[Movement, ...]) -> dict[Holding, int]:
    total: dict[Holding, int] = {}
    for move in moves:
        for address, change in move.changes.items():
            holding = Holding(address, move.token)
            total[holding] = total.get(holding, 0) + change
    return total


def acting(act: Callable[[], None], *, path: str, times: int = 1) -> Callable[[Asked], bool]:
    """Does something as a request to `path` comes, and picks none."""
    left = [times]

    def picks(asked: Asked) -> bool:
        if asked.path.endswith(path) and left[0]:
            left[0] -= 1
            act()
        return False

    return picks


class TestHead:
    async def test_is_the_newest_block(self, place: Place) -> None:
        head = await place.ledger().head()

        newest = place.chain.head
        assert (head.number, head.hash) == (newest.number, newest.id)
        assert head.timestamp.timestamp() == newest.time_ms / 1000

    async def test_of_another_chain_is_refused(self, place: Place) -> None:
        async with TronServer(place.chain, genesis=NILE) as nile:
            with pytest.raises(RemoteError, match="begins with block") as caught:
                await place.ledger(nile).head()
            assert caught.value.reason is FailureReason.WRONG_CHAIN

            assert (await place.ledger(nile, place.server).head()).hash == place.chain.head.id

    async def test_that_is_old_is_refused(self, place: Place) -> None:
        place.clock.hand += 61

        with pytest.raises(RemoteError, match="61 s old") as caught:
            await place.ledger().head()
        assert caught.value.reason is FailureReason.LAG

    async def test_of_one_that_lags_gives_way_to_another(self, place: Place) -> None:
        place.server.lag = 25
        place.mine(25)
        async with TronServer(place.chain, host="127.0.0.2") as other:
            ledger = place.ledger(place.server, other)

            assert (await ledger.head()).number == place.chain.head.number
            assert [tip.number - place.chain.head.number for tip in await ledger.tips()] == [0, -25]

    async def test_never_goes_back(self, place: Place) -> None:
        ledger = place.ledger()
        await ledger.head()
        place.server.lag = 1

        with pytest.raises(RemoteError, match="went back") as caught:
            await ledger.head()
        assert caught.value.reason is FailureReason.LAG

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            pytest.param(BAD_GATEWAY, FailureReason.HTTP_5XX, id="bad gateway"),
            pytest.param(JAVA_ERROR, FailureReason.SCHEMA, id="an error with status 200"),
            pytest.param(as_json({}), FailureReason.LAG, id="no block at all"),
            pytest.param(as_json([]), FailureReason.SCHEMA, id="another shape"),
            pytest.param(
                as_json({"blockID": "00", "block_header": {"raw_data": {"timestamp": 10**17}}}),
                FailureReason.SCHEMA,
                id="a time that no calendar has",
            ),
        ],
    )
    async def test_is_not_known_from(self, place: Place, answer: Answer, reason: FailureReason) -> None:
        place.server.door.fail(answer)

        with pytest.raises(RemoteError) as caught:
            await place.ledger().head()
        assert caught.value.reason is reason

    async def test_is_told_to_who_shows_the_key(self, place: Place) -> None:
        async with TronServer(place.chain, api_key="S3CR3T") as server:
            assert (await place.ledger(server, api_key="S3CR3T").head()).number == place.chain.head.number

            with pytest.raises(RemoteError) as caught:
                await place.ledger(server, api_key="S3CR3T-wrong").head()
            assert caught.value.reason is FailureReason.AUTH
            assert "S3CR3T" not in str(caught.value)


class TestBalances:
    async def test_are_of_the_newest_block(self, place: Place) -> None:
        snapshot = await place.ledger().balances(place.everything)

        assert snapshot.head.hash == place.chain.head.id
        assert snapshot.endpoint == "127.0.0.1"
        assert snapshot.amounts == place.truth()
        assert snapshot.amounts[Holding(HOT, place.usdt)] == 900 * COIN
        assert snapshot.amounts[Holding(EMPTY, TRX)] == 0

    async def test_hold_what_is_staked_lent_and_on_its_way_back(self, place: Place) -> None:
        before = (await place.ledger().balances([Holding(COLD, TRX)])).amounts
        freeze_first(place.chain, COLD, 300 * COIN, resource=Resource.BANDWIDTH)
        freeze_first(place.chain, COLD, 100 * COIN)
        freeze_first(place.chain, COLD, 200 * COIN, receiver=HOT)
        freeze(place.chain, COLD, 1_000 * COIN)
        freeze(place.chain, COLD, 1_500 * COIN, resource=Resource.BANDWIDTH)
        delegate(place.chain, COLD, STRANGER, 400 * COIN)
        delegate(place.chain, COLD, HOT, 500 * COIN, resource=Resource.BANDWIDTH)
        unfreeze(place.chain, COLD, 250 * COIN, resource=Resource.BANDWIDTH)
        place.mine()

        after = (await place.ledger().balances([Holding(COLD, TRX), Holding(HOT, TRX)])).amounts
        assert place.chain.head.state.accounts[COLD].balance < 2_100 * COIN
        assert after[Holding(COLD, TRX)] == before[Holding(COLD, TRX)]
        assert after[Holding(HOT, TRX)] == 5_000 * COIN  # what was lent to it is not its own

    async def test_are_of_one_block_though_some_moved_meanwhile(self, place: Place) -> None:
        ledger = place.ledger()

        def pay() -> None:
            place.chain.transfer(HOT, COLD, 7 * COIN)
            place.chain.send_token(place.usdt.contract or "", HOT, EMPTY, 3 * COIN)
            place.mine()

        place.server.door.fail(BAD_GATEWAY, when=acting(pay, path="getaccount", times=2))

        snapshot = await ledger.balances(place.everything)
        assert snapshot.head.hash == place.chain.head.id
        assert snapshot.amounts == place.truth()

    async def test_of_an_address_that_never_rests_are_missing(self, place: Place) -> None:
        def pay() -> None:
            place.chain.transfer(HOT, STRANGER, COIN)
            place.mine()

        place.server.door.fail(BAD_GATEWAY, when=acting(pay, path="getaccount", times=1_000))

        snapshot = await place.ledger().balances(place.everything)
        truth = place.truth()
        assert Holding(HOT, TRX) not in snapshot.amounts
        assert snapshot.amounts == {holding: truth[holding] for holding in place.everything[1:]}

    async def test_that_could_not_be_read_are_missing(self, place: Place) -> None:
        hot = asks_for(f'"address":"{in_hex(HOT)}"')
        place.server.door.fail(JAVA_ERROR, when=hot)

        snapshot = await place.ledger().balances(place.everything)
        assert Holding(HOT, TRX) not in snapshot.amounts
        assert len(snapshot.amounts) == len(place.everything) - 1

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param({"result": {"code": "CONTRACT_VALIDATE_ERROR", "message": "00"}}, id="no contract"),
            pytest.param(
                {"result": {"result": True, "message": "00"}, "constant_result": ["00" * 32]}, id="a revert with a word"
            ),
            pytest.param(
                {
                    "result": {"result": True},
                    "constant_result": ["00" * 32],
                    "transaction": {"ret": [{"ret": "FAILED"}]},
                },
                id="a failure without a message",
            ),
            pytest.param({"result": {"result": True}, "constant_result": [""]}, id="an empty word"),
            pytest.param({"result": {"result": True}, "constant_result": ["zz" * 32]}, id="no hex"),
            pytest.param({"result": {"result": True}}, id="no word"),
        ],
    )
    async def test_of_a_token_that_refuses_are_missing(self, place: Place, answer: object) -> None:
        place.server.door.fail(as_json(answer), when=asks_for("balanceOf"))

        snapshot = await place.ledger().balances(place.everything)
        assert [holding.token.asset for holding in snapshot.amounts] == ["TRX"] * 3

    async def test_of_a_token_that_is_not_configured_are_missing(self, place: Place) -> None:
        other = Token(asset="USDC", contract=account("contract of USDC"), decimals=6)

        assert (await place.ledger().balances([Holding(HOT, other)])).amounts == {}

    async def test_of_an_account_that_vanished_are_not_zero(self, place: Place) -> None:
        ledger = place.ledger()
        await ledger.balances(place.everything)
        place.server.door.fail(as_json({}), when=asks_for(f'"address":"{in_hex(HOT)}"'))

        snapshot = await ledger.balances(place.everything)
        assert Holding(HOT, TRX) not in snapshot.amounts
        assert snapshot.amounts[Holding(EMPTY, TRX)] == 0

    async def test_come_from_another_endpoint_when_one_fails(self, place: Place) -> None:
        async with TronServer(place.chain, host="127.0.0.2") as other:
            ledger = place.ledger(place.server, other)
            place.server.door.fail(BAD_GATEWAY)

            snapshot = await ledger.balances(place.everything)
            assert (snapshot.endpoint, snapshot.amounts) == ("127.0.0.2", place.truth())


class TestSecond:
    async def test_is_of_the_same_block_though_the_chain_went_on(self, place: Place) -> None:
        async with TronServer(place.chain, host="127.0.0.2") as other:
            ledger = place.ledger(place.server, other)
            first = await ledger.balances(place.everything)
            place.chain.transfer(HOT, COLD, 7 * COIN, fee=267_000)
            place.chain.send_token(place.usdt.contract or "", HOT, EMPTY, 3 * COIN)
            place.mine(4)

            second = await ledger.second(place.everything, first=first)
            assert (second.head, second.endpoint) == (first.head, "127.0.0.2")
            assert second.amounts == first.amounts != place.truth()

    async def test_shows_a_lie(self, place: Place) -> None:
        async with TronServer(place.chain, host="127.0.0.2") as other:
            ledger = place.ledger(place.server, other)
            place.server.lies[HOT, None] = -4_000 * COIN
            first = await ledger.balances(place.everything)

            second = await ledger.second(place.everything, first=first)
            assert second.amounts[Holding(HOT, TRX)] - first.amounts[Holding(HOT, TRX)] == 4_000 * COIN
            assert second.amounts == place.truth()

    async def test_is_not_to_be_had_of_one_endpoint(self, place: Place) -> None:
        ledger = place.ledger()
        first = await ledger.balances(place.everything)

        with pytest.raises(RemoteError) as caught:
            await ledger.second(place.everything, first=first)
        assert caught.value.reason is FailureReason.DISAGREEMENT

    async def test_of_one_that_is_behind_is_refused(self, place: Place) -> None:
        async with TronServer(place.chain, host="127.0.0.2") as other:
            ledger = place.ledger(place.server, other)
            first = await ledger.balances(place.everything)
            other.lag = 1

            with pytest.raises(RemoteError, match="no block") as caught:
                await ledger.second(place.everything, first=first)
            assert caught.value.reason is FailureReason.LAG


class TestMovements:
    async def test_add_up_to_the_change_of_every_balance(self, place: Place) -> None:
        ledger = place.ledger()
        first = await ledger.balances(place.everything)
        contract = place.usdt.contract or ""
        place.chain.transfer(HOT, EMPTY, 7 * COIN)
        place.chain.transfer(STRANGER, COLD, 11 * COIN)
        place.chain.send_token(contract, HOT, COLD, 30 * COIN)
        place.chain.send_token(contract, HOT, STRANGER, 10 * COIN, outcome=Outcome.OUT_OF_ENERGY)
        place.mine(2)
        freeze(place.chain, COLD, 1_000 * COIN)
        unfreeze(place.chain, COLD, 100 * COIN)
        delegate(place.chain, COLD, HOT, 50 * COIN)
        undelegate(place.chain, COLD, HOT, 20 * COIN)
        place.chain.reward(COLD, 5 * COIN)
        place.mine()
        place.chain.claim(COLD)
        sweeper = account("contract that pays")
        place.chain.call(
            HOT,
            sweeper,
            sun=9 * COIN,
            moves=[Sent(sender=sweeper, receiver=COLD, amount=4 * COIN, token=None)],
        )
        place.mine(7)
        second = await ledger.balances(place.everything)

        read = await ledger.movements([HOT, COLD, EMPTY], after=first.head, upto=second.head)

        assert read.coverage == 1.0
        total = changes(read.moves)
        assert {holding: second.amounts[holding] - first.amounts[holding] for holding in place.everything} == {
            holding: total.get(holding, 0) for holding in place.everything
        }
        assert total[Holding(COLD, place.usdt)] == 30 * COIN

    @pytest.mark.parametrize("seed", range(4))
    async def test_of_any_history_add_up_through_reorgs_and_outages(self, place: Place, seed: int) -> None:
        chance = Random(seed)
        contract = place.usdt.contract or ""
        async with TronServer(place.chain, host="127.0.0.2") as other:
            ledger = place.ledger(place.server, other)
            for _ in range(3):
                last = await ledger.balances(place.everything)
                for _ in range(4):
                    for _ in range(chance.randrange(4)):
                        _act(place, chance, contract=contract)
                        if chance.random() < 0.4:
                            place.mine()
                    place.mine(chance.randrange(1, 3))
                    for door in (place.server.door, other.door):
                        door.recover()
                    chance.choice([place.server, other]).door.fail(BAD_GATEWAY, times=chance.randrange(2))
                    now = await ledger.balances(place.everything)
                    read = await ledger.movements([HOT, COLD, EMPTY], after=last.head, upto=now.head)
                    total = changes(read.moves)
                    missing = [holding for holding in place.everything if holding not in now.amounts]
                    assert read.coverage == 1.0
                    for holding in now.amounts:
                        assert now.amounts[holding] - last.amounts[holding] == total.get(holding, 0)
                    if missing:
                        break
                    last = now
                place.chain.fork(chance.randrange(1, 3), blocks=3)

    async def test_tell_payments_to_others_and_who_signed(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        paid = place.chain.send_token(place.usdt.contract or "", HOT, STRANGER, 25 * COIN)
        place.mine()

        read = await ledger.movements([HOT], after=after, upto=await ledger.head())

        by_asset = {move.token.asset: move for move in read.moves}
        assert {move.transaction for move in read.moves} == {paid}
        assert by_asset["USDT"].payments == ((STRANGER, 25 * COIN),)
        assert by_asset["USDT"].changes == {HOT: -25 * COIN}
        assert by_asset["TRX"].changes == {HOT: -TOKEN_FEE}
        assert (by_asset["TRX"].fee, by_asset["TRX"].payments) == (TOKEN_FEE, ())
        assert {move.senders for move in read.moves} == {(HOT,)}

    async def test_of_own_addresses_to_each_other_are_no_payments(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.chain.transfer(HOT, COLD, 3 * COIN)
        place.mine()

        [move] = (await ledger.movements([HOT, COLD], after=after, upto=await ledger.head())).moves
        assert (move.changes, move.payments) == ({HOT: -3 * COIN, COLD: 3 * COIN}, ())

    async def test_cost_the_same_whoever_asks_and_nothing_twice(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.chain.transfer(HOT, COLD, 3 * COIN)
        place.mine(6)
        upto = await ledger.head()
        many = [account(f"wallet {n}") for n in range(500)]
        await ledger.movements([HOT, COLD, *many], after=after, upto=upto)
        asked = sum(place.server.door.requests.values())

        again = await ledger.movements([COLD], after=after, upto=upto)

        assert [move.changes for move in again.moves] == [{COLD: 3 * COIN}]
        assert sum(place.server.door.requests.values()) == asked
        assert place.server.door.requests["/wallet/gettransactioninfobyblocknum"] == 1  # of the one that is not empty

    @pytest.mark.parametrize("depth", [1, 3, 6])
    async def test_above_a_block_that_is_gone_are_refused(self, place: Place, depth: int) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.chain.transfer(HOT, STRANGER, 3 * COIN)
        place.mine(6)
        gone = await ledger.head()
        assert (await ledger.movements([HOT], after=after, upto=gone)).moves
        place.chain.fork(depth, blocks=depth + 1)

        with pytest.raises(RemoteError) as caught:
            await ledger.movements([HOT], after=gone, upto=await ledger.head())
        assert caught.value.reason is FailureReason.LAG
        assert (await ledger.block(gone.number)).hash != gone.hash
        told = (await ledger.movements([HOT], after=after, upto=await ledger.head())).moves
        assert len(told) == (0 if depth == 6 else 1)

    async def test_without_their_outcome_are_refused(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.chain.transfer(HOT, STRANGER, 3 * COIN)
        place.mine()
        place.server.door.fail(as_json([]), when=asks_for("gettransactioninfobyblocknum"))

        with pytest.raises(RemoteError, match="without their outcome") as caught:
            await ledger.movements([HOT], after=after, upto=await ledger.head())
        assert caught.value.reason is FailureReason.LAG

    async def test_of_an_address_that_trades_on_the_chain_are_not_covered(self, place: Place) -> None:
        ledger = place.ledger()
        after = await ledger.head()
        place.chain.stake("ExchangeTransactionContract", HOT, {"token_id": "5f"}, lambda _: {})
        place.mine()

        read = await ledger.movements([HOT, COLD], after=after, upto=await ledger.head())
        assert read.coverage == 0.5


def _act(place: Place, chance: Random, *, contract: str) -> None:
    sender, receiver = chance.sample([HOT, COLD, STRANGER], 2)
    sun = chance.randrange(1, 50 * COIN)
    match chance.randrange(6):
        case 0:
            freeze(place.chain, COLD, sun)
        case 1:
            place.chain.call(
                sender, contract, sun=sun, moves=[Sent(sender=contract, receiver=receiver, amount=sun // 2)]
            )
        case 2:
            place.chain.send_token(contract, HOT, receiver, sun // 10, outcome=chance.choice(list(Outcome)))
        case _:
            place.chain.transfer(sender, chance.choice([receiver, EMPTY]), sun)


async def test_a_block_keeps_its_hash(place: Place) -> None:
    ledger = place.ledger()
    head = await ledger.head()
    place.mine(3)

    assert await ledger.block(head.number) == head
    with pytest.raises(RemoteError) as caught:
        await ledger.block(head.number + 10)
    assert caught.value.reason is FailureReason.LAG


HOT_HEX, STRANGER_HEX = in_hex(HOT), in_hex(STRANGER)


def _block(kind: str, value: dict[str, object]) -> Block:
    contract = {"type": kind, "parameter": {"value": value}}
    transaction = {"txID": "t", "ret": [{"contractRet": "SUCCESS"}], "raw_data": {"contract": [contract]}}
    header = {"raw_data": {"number": 5, "timestamp": 1_777_445_121_000, "parentHash": "p"}}
    return msgspec.convert({"blockID": "b", "block_header": header, "transactions": [transaction]}, type=Block)


def _internal(note: str, **values: object) -> dict[str, object]:
    parties = {"caller_address": HOT_HEX, "transferTo_address": STRANGER_HEX}
    return {**parties, "callValueInfo": [{"callValue": 7}], "note": note.encode().hex(), **values}


CALLED: dict[str, object] = {"owner_address": in_hex(COLD), "contract_address": HOT_HEX}


@pytest.mark.parametrize(
    ("kind", "value", "info", "expected"),
    [
        pytest.param(
            "CreateSmartContract",
            {"owner_address": HOT_HEX, "new_contract": {"call_value": 3}},
            {"contract_address": STRANGER_HEX},
            [(HOT, STRANGER, 3)],
            id="a contract made with some TRX",
        ),
        pytest.param(
            "ParticipateAssetIssueContract",
            {"owner_address": HOT_HEX, "to_address": STRANGER_HEX, "amount": 4},
            {},
            [(HOT, STRANGER, 4)],
            id="a TRC-10 bought from its issuer",
        ),
        pytest.param(
            "TransferAssetContract",
            {"owner_address": HOT_HEX, "to_address": STRANGER_HEX, "amount": 4, "asset_name": "31"},
            {},
            [],
            id="a TRC-10 sent",
        ),
        pytest.param(
            "TriggerSmartContract",
            CALLED,
            {"internal_transactions": [_internal("call"), _internal("create"), _internal("suicide")]},
            [(HOT, STRANGER, 7)] * 3,
            id="a contract that pays",
        ),
        pytest.param(
            "TriggerSmartContract",
            CALLED,
            {"internal_transactions": [_internal("call", rejected=True)]},
            [],
            id="a contract whose payment was undone",
        ),
        pytest.param(
            "TriggerSmartContract",
            CALLED,
            {"internal_transactions": [_internal("call", callValueInfo=[{"callValue": 9, "tokenId": "1002000"}])]},
            [],
            id="a contract that pays a TRC-10",
        ),
        pytest.param(
            "TriggerSmartContract",
            CALLED,
            {"internal_transactions": [_internal("freezeBalanceV2ForEnergy"), _internal("delegateResourceOfEnergy")]},
            [],
            id="a contract that stakes and lends",
        ),
        pytest.param(
            "TriggerSmartContract",
            CALLED,
            {"internal_transactions": [_internal("withdrawReward", transferTo_address=HOT_HEX)]},
            [(None, HOT, 7)],
            id="a contract that withdraws a reward",
        ),
        pytest.param(
            "WithdrawBalanceContract",
            {"owner_address": HOT_HEX},
            {"withdraw_amount": 6},
            [(None, HOT, 6)],
            id="a reward",
        ),
        pytest.param(
            "TransferContract",
            {"owner_address": HOT_HEX, "to_address": STRANGER_HEX, "amount": 4},
            {"result": "FAILED", "fee": 2},
            [(HOT, None, 2)],
            id="a transfer that failed and cost its fee",
        ),
    ],
)
def test_a_transaction_moves(
    kind: str, value: dict[str, object], info: dict[str, object], expected: list[tuple[str | None, str | None, int]]
) -> None:
    outcome = msgspec.convert({"id": "t", **info}, type=TransactionInfo)

    moved = transfers(_block(kind, value), {"t": outcome}, own={HOT_HEX}, tokens={})

    assert [
        (
            each.sources[0][0] if each.sources else None,
            each.destinations[0][0] if each.destinations else None,
            (each.sources or each.destinations)[0][1],
        )
        for each in moved
    ] == expected
