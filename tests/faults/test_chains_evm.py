"""What EVM chains and their nodes do wrong (faults E1 to E3 and E5 to E11): unread with its reason, never a number.

Against real nodes behind proxies that change over, lie and leave out.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from monitor.chains.evm import EvmChain
from monitor.chains.ledger import Holding, Snapshot, Token
from monitor.chains.networks import EVM_NETWORKS
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError
from tests.anvil import ETHER, Anvil, anvil, calldata
from tests.relay import Message
from tests.switching_proxy import SwitchingProxy, switching_proxy

ETH = Token(asset="ETH")
USDT = Token(asset="USDT", contract="0x" + "a1" * 20, decimals=6)
LOOP = Token(asset="LOOP", contract="0x" + "b2" * 20)
NOWHERE = Token(asset="NONE", contract="0x" + "c3" * 20)
WALLETS = [f"0x{number:040x}" for number in range(0x1000, 0x1008)]
MINTED = 5_000_001
HELD = {
    **{Holding(wallet, ETH): (place + 1) * ETHER for place, wallet in enumerate(WALLETS)},
    **{Holding(wallet, USDT): MINTED + place for place, wallet in enumerate(WALLETS)},
}
COINS = {holding: amount for holding, amount in HELD.items() if holding.token == ETH}

ENDLESS_LOOP = "0x5b600056"  # JUMPDEST PUSH1 0 JUMP
ALWAYS_EIGHT = "0x60085f5260205ff3"  # whatever is asked


class SkippingClock(Clock):
    """A clock that a test puts forward."""

    skipped = timedelta()

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped.total_seconds()


async def fill(node: Anvil) -> None:
    """Give the wallets what `HELD` says."""
    await node.put_multicall()
    await node.put_token(USDT.contract or "")
    (sender, *_) = await node.accounts()
    for holding, amount in HELD.items():
        if holding.token == USDT:
            await node.mint(USDT.contract or "", holding.address, amount, sender=sender)
        else:
            await node.rpc("anvil_setBalance", holding.address, hex(amount))
    await node.mine()


@pytest.fixture
async def node() -> AsyncIterator[Anvil]:
    async with anvil() as running:
        await fill(running)
        yield running


@pytest.fixture
async def behind() -> AsyncIterator[Anvil]:
    """A node that is not where `node` is, and knows other balances."""
    async with anvil() as running:
        await running.put_multicall()
        await running.mine()
        yield running


@pytest.fixture
async def proxy(node: Anvil) -> AsyncIterator[SwitchingProxy]:
    async with switching_proxy(node.url) as running:
        yield running


@pytest.fixture
async def other(node: Anvil) -> AsyncIterator[SwitchingProxy]:
    async with switching_proxy(node.url, host="127.0.0.3") as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(Clock(), per_second={f"127.0.0.{host}": 10_000.0 for host in (1, 2, 3)}) as opened:
        yield opened


def chain(
    http: Http, *proxies: SwitchingProxy, chain_id: int = 1, clock: Clock | None = None, tokens: Sequence[Token] = ()
) -> EvmChain:
    return EvmChain(
        http,
        clock or Clock(),
        network="ethereum",
        chain_id=chain_id,
        endpoints=[proxy.endpoint for proxy in proxies],
        tokens=tokens,
        stale_seconds=EVM_NETWORKS["ethereum"].stale_seconds,
    )


async def read(ours: EvmChain) -> dict[Holding, int]:
    return (await ours.balances(list(HELD))).amounts


async def refused(ours: EvmChain) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        await ours.balances(list(HELD))
    return caught.value


class TestE1BehindAndBack:
    async def test_e1_a_node_behind_is_a_lag_until_it_caught_up(
        self, http: Http, node: Anvil, proxy: SwitchingProxy, behind: Anvil
    ) -> None:
        ours = chain(http, proxy)
        assert await read(ours) == HELD
        proxy.node = behind.url

        error = await refused(ours)

        assert error.reason is FailureReason.LAG
        assert f"went back from {await node.height()} to 1" in error.detail
        proxy.node = node.url
        assert await read(ours) == HELD

    async def test_e1_the_other_endpoint_is_read_instead(
        self, http: Http, proxy: SwitchingProxy, other: SwitchingProxy, behind: Anvil
    ) -> None:
        ours = chain(http, proxy, other)
        await read(ours)
        proxy.node = behind.url

        snapshot = await ours.balances(list(HELD))

        assert (snapshot.endpoint, snapshot.amounts) == ("127.0.0.3", HELD)

    async def test_e1_a_state_that_is_not_of_the_head_is_no_balance(
        self, http: Http, proxy: SwitchingProxy, behind: Anvil
    ) -> None:
        ours = chain(http, proxy)
        proxy.choose = lambda call: behind.url if call["method"] == "eth_call" else proxy.node

        error = await refused(ours)

        assert error.reason is FailureReason.LAG
        assert "no state of block" in error.detail

    async def test_e1_a_node_that_does_not_keep_to_the_block_asked_for_is_found_out(
        self, http: Http, node: Anvil, proxy: SwitchingProxy
    ) -> None:
        ours = chain(http, proxy)
        head = await ours.head()
        await node.mine(3)

        def asked_at_the_newest(call: Message) -> Message:
            match call:
                case {"method": "eth_call", "params": [transaction, _]}:
                    return {**call, "params": [transaction, "latest"]}
                case {"method": "eth_getBlockByNumber"}:
                    return {**call, "params": [hex(head.number), False]}
            return call

        proxy.amend = asked_at_the_newest
        error = await refused(ours)

        assert error.reason is FailureReason.LAG
        assert f"asked for block {head.number}, answered for {head.number + 3}" in error.detail

    @pytest.mark.parametrize(
        ("seconds", "is_old"),
        [pytest.param(36, False, id="E1 two slots missed"), pytest.param(60, True, id="E1 four slots missed")],
    )
    async def test_e1_an_old_head_is_a_lag(
        self, http: Http, proxy: SwitchingProxy, seconds: float, is_old: bool
    ) -> None:
        ours = chain(http, proxy, clock=Clock(start=datetime.now(UTC) + timedelta(seconds=seconds)))

        if not is_old:
            assert await read(ours) == HELD
            return
        error = await refused(ours)
        assert error.reason is FailureReason.LAG
        assert "s old" in error.detail
        assert len(await ours.tips()) == 1


SYNCING = {"startingBlock": "0x0", "currentBlock": "0x10", "highestBlock": "0x2000"}
THERE = {"startingBlock": "0x0", "currentBlock": "0x2000", "highestBlock": "0x2000"}


def syncs(told: object) -> Callable[[Message, object], object]:
    return lambda call, result: told if call["method"] == "eth_syncing" else result


class TestE2Syncing:
    @pytest.mark.parametrize(
        "told",
        [
            pytest.param(SYNCING, id="E2 with its progress"),
            pytest.param(True, id="E2 without"),
            pytest.param({"msgCount": 7}, id="E2 in words of its own"),
        ],
    )
    async def test_e2_a_node_that_syncs_is_a_lag_however_new_its_head(
        self, http: Http, proxy: SwitchingProxy, told: object
    ) -> None:
        proxy.rewrite = syncs(told)

        error = await refused(chain(http, proxy))

        assert error.reason is FailureReason.LAG
        assert "is syncing" in error.detail

    async def test_e2_a_node_that_begins_to_sync_is_left(
        self, http: Http, proxy: SwitchingProxy, other: SwitchingProxy
    ) -> None:
        ours = chain(http, proxy, other)
        await read(ours)
        proxy.rewrite = syncs(SYNCING)

        assert (await ours.balances(list(HELD))).endpoint == "127.0.0.3"

    async def test_e2_a_node_that_is_where_it_wants_to_be_is_read(self, http: Http, proxy: SwitchingProxy) -> None:
        proxy.rewrite = syncs(THERE)

        assert await read(chain(http, proxy)) == HELD

    async def test_e2_a_node_that_does_not_tell_is_read(self, http: Http, proxy: SwitchingProxy) -> None:
        unknown = {"code": -32601, "message": "the method eth_syncing does not exist/is not available"}

        def withhold(call: Message, answer: Message) -> Message:
            return answer if call["method"] != "eth_syncing" else {"id": answer["id"], "error": unknown}

        proxy.spoil = withhold
        assert await read(chain(http, proxy)) == HELD

    async def test_e2_an_old_state_told_without_a_word_is_a_lag(self, http: Http) -> None:
        async with anvil(genesis=datetime.now(UTC) - timedelta(hours=2)) as old, switching_proxy(old.url) as proxy:
            await old.pace(12)
            await fill(old)

            error = await refused(chain(http, proxy))

        assert error.reason is FailureReason.LAG
        assert "s old" in error.detail


LOOTED = Holding(WALLETS[3], ETH)


def without_one_balance(call: Message, result: object) -> object:
    """The lie: one wallet holds nothing."""
    if call["method"] == "eth_call":
        assert isinstance(result, str)
        return result.replace(f"{HELD[LOOTED]:064x}", "0" * 64)
    return result


class TestE3Lying:
    async def test_e3_another_endpoint_contradicts_at_the_same_block(
        self, http: Http, node: Anvil, proxy: SwitchingProxy, other: SwitchingProxy
    ) -> None:
        proxy.rewrite = without_one_balance
        ours = chain(http, proxy, other)

        first = await ours.balances(list(HELD))
        (sender, *_) = await node.accounts()
        await node.send(sender, LOOTED.address)
        second = await ours.second([LOOTED], first=first)

        assert (first.endpoint, first.amounts[LOOTED]) == ("127.0.0.2", 0)
        assert (second.endpoint, second.amounts) == ("127.0.0.3", {LOOTED: HELD[LOOTED]})
        assert second.head == first.head

    async def test_e3_a_drop_that_is_true_is_confirmed(
        self, http: Http, node: Anvil, proxy: SwitchingProxy, other: SwitchingProxy
    ) -> None:
        ours = chain(http, proxy, other)
        await read(ours)
        await node.rpc("anvil_setBalance", LOOTED.address, "0x0")
        await node.mine()

        first = await ours.balances(list(HELD))
        second = await ours.second(list(HELD), first=first)

        assert first.amounts[LOOTED] == 0
        assert second.amounts == first.amounts

    async def test_e3_one_endpoint_cannot_confirm_itself(self, http: Http, proxy: SwitchingProxy) -> None:
        ours = chain(http, proxy)
        first = await ours.balances(list(HELD))

        with pytest.raises(RemoteError, match=r"no endpoint of ethereum other than 127\.0\.0\.2") as caught:
            await ours.second([LOOTED], first=first)
        assert caught.value.reason is FailureReason.DISAGREEMENT

    @pytest.mark.parametrize(
        ("chain_id", "reason"),
        [
            pytest.param(1, FailureReason.LAG, id="E3 one that has not the block"),
            pytest.param(10, FailureReason.WRONG_CHAIN, id="E3 one of another chain"),
        ],
    )
    async def test_e3_an_endpoint_that_cannot_know_is_no_witness(
        self,
        http: Http,
        proxy: SwitchingProxy,
        other: SwitchingProxy,
        behind: Anvil,
        chain_id: int,
        reason: FailureReason,
    ) -> None:
        ours = chain(http, proxy, other)
        first = await ours.balances(list(HELD))
        other.node, other.chain_id = behind.url, chain_id

        with pytest.raises(RemoteError) as caught:
            await ours.second([LOOTED], first=first)
        assert caught.value.reason is reason


class TestE5NoAnswerInAnAnswer:
    async def test_e5_without_multicall3_everything_is_read_one_by_one(
        self, http: Http, node: Anvil, proxy: SwitchingProxy
    ) -> None:
        await node.rpc("anvil_setCode", "0xcA11bde05977b3631167028862bE2a173976CA11", "0x")
        await node.mine()

        assert await read(chain(http, proxy)) == HELD

    @pytest.mark.parametrize("has_multicall", [True, False], ids=["E5 in Multicall3", "E5 one by one"])
    async def test_e5_a_token_without_code_is_unread(
        self, http: Http, node: Anvil, proxy: SwitchingProxy, has_multicall: bool
    ) -> None:
        if not has_multicall:
            await node.rpc("anvil_setCode", "0xcA11bde05977b3631167028862bE2a173976CA11", "0x")
            await node.mine()
        ours = chain(http, proxy)
        absent = [Holding(wallet, NOWHERE) for wallet in WALLETS]

        assert (await ours.balances([*absent, *HELD])).amounts == HELD
        with pytest.raises(RemoteError, match="none of 8 was answered"):
            await ours.balances(absent)

    async def test_e5_an_empty_answer_to_everything_is_no_zero(self, http: Http, proxy: SwitchingProxy) -> None:
        proxy.rewrite = lambda call, result: "0x" if call["method"] in {"eth_call", "eth_getBalance"} else result

        assert "none of 16 was answered" in (await refused(chain(http, proxy))).detail


class TestE6GasBurner:
    async def test_e6_others_are_read_exactly_and_the_token_is_remembered(
        self, http: Http, node: Anvil, proxy: SwitchingProxy
    ) -> None:
        await node.rpc("anvil_setCode", LOOP.contract, ENDLESS_LOOP)
        await node.mine()
        ours = chain(http, proxy)
        holdings = [*(Holding(wallet, LOOP) for wallet in WALLETS), *HELD]

        requests = []
        for _ in range(2):
            proxy.bodies.clear()
            assert (await ours.balances(holdings)).amounts == HELD
            requests.append(len(proxy.bodies))

        assert requests[1] == 3 < requests[0]  # later: to admit the node, one holding of the token, all others


def at_most(calls: int) -> Callable[[SwitchingProxy], None]:
    def limit(proxy: SwitchingProxy) -> None:
        proxy.largest_batch = calls

    return limit


def smaller_than(size: int) -> Callable[[SwitchingProxy], None]:
    def limit(proxy: SwitchingProxy) -> None:
        proxy.largest_body = size

    return limit


class TestE7Limits:
    @pytest.mark.parametrize(
        ("limit", "has_multicall"),
        [
            pytest.param(smaller_than(4_000), True, id="E7 few reads a request"),
            pytest.param(smaller_than(1_500), True, id="E7 one read a request"),
            pytest.param(at_most(3), False, id="E7 three calls a batch"),
            pytest.param(at_most(1), False, id="E7 no batches"),
            pytest.param(smaller_than(1_500), False, id="E7 few calls a batch"),
        ],
    )
    async def test_e7_a_limit_is_found_and_kept_to(
        self,
        http: Http,
        node: Anvil,
        proxy: SwitchingProxy,
        limit: Callable[[SwitchingProxy], None],
        has_multicall: bool,
    ) -> None:
        if not has_multicall:
            await node.rpc("anvil_setCode", "0xcA11bde05977b3631167028862bE2a173976CA11", "0x")
            await node.mine()
        limit(proxy)
        ours = chain(http, proxy)

        requests = []
        for _ in range(2):
            proxy.bodies.clear()
            assert await read(ours) == HELD
            requests.append(len(proxy.bodies))
        assert requests[1] < requests[0]


class TestE8WrongChain:
    async def test_e8_another_chain_is_refused_at_the_start(self, http: Http, proxy: SwitchingProxy) -> None:
        ours = chain(http, proxy, chain_id=56)

        error = await refused(ours)

        assert error.reason is FailureReason.WRONG_CHAIN
        assert "is chain 56, this is 1" in error.detail
        with pytest.raises(RemoteError) as caught:
            await ours.tips()
        assert caught.value.reason is FailureReason.WRONG_CHAIN

    async def test_e8_a_change_of_the_chain_is_noticed(self, http: Http, proxy: SwitchingProxy) -> None:
        async with anvil(chain_id=10) as stranger:
            await fill(stranger)
            await stranger.mine(50)
            ours = chain(http, proxy)
            assert await read(ours) == HELD
            proxy.node = stranger.url

            assert (await refused(ours)).reason is FailureReason.WRONG_CHAIN
            with pytest.raises(RemoteError) as caught:
                await ours.head()
            assert caught.value.reason is FailureReason.WRONG_CHAIN

    async def test_e8_the_endpoint_of_the_right_chain_is_read(
        self, http: Http, proxy: SwitchingProxy, other: SwitchingProxy
    ) -> None:
        proxy.chain_id = 10
        ours = chain(http, proxy, other)

        assert (await ours.balances(list(HELD))).endpoint == "127.0.0.3"
        assert len(await ours.tips()) == 1


THIRD = list(HELD)[2]


def in_balances(change: Callable[[list[Message]], list[Message]]) -> Callable[[list[Message]], list[Message]]:
    """Only where balances are asked for: to admit a node takes three calls."""
    return lambda answers: change(answers) if len(answers) > 3 else answers


def without(*holdings: Holding) -> Mapping[Holding, int]:
    return {holding: amount for holding, amount in HELD.items() if holding not in holdings}


class TestE9Ids:
    @pytest.mark.parametrize(
        ("arrange", "expected"),
        [
            pytest.param(lambda answers: answers[::-1], HELD, id="E9 in another order"),
            pytest.param(lambda answers: answers[:2] + answers[3:], without(THIRD), id="E9 one missing"),
            pytest.param(
                lambda answers: [*answers, {**answers[2], "result": "0x0"}], without(THIRD), id="E9 one answered twice"
            ),
            pytest.param(lambda answers: [*answers, answers[2]], without(THIRD), id="E9 one said twice"),
            pytest.param(
                lambda answers: [{"jsonrpc": "2.0", "id": 99, "result": "0x0"}, *answers], HELD, id="E9 one too many"
            ),
        ],
    )
    async def test_e9_answers_are_matched_by_id(
        self,
        http: Http,
        node: Anvil,
        proxy: SwitchingProxy,
        arrange: Callable[[list[Message]], list[Message]],
        expected: Mapping[Holding, int],
    ) -> None:
        await node.rpc("anvil_setCode", "0xcA11bde05977b3631167028862bE2a173976CA11", "0x")
        await node.mine()
        proxy.arrange = in_balances(arrange)

        assert await read(chain(http, proxy)) == expected


def of_balances(change: Mapping[str, object], *, nothing_else: bool) -> Callable[[Message, Message], Message]:
    def spoil(call: Message, answer: Message) -> Message:
        if call["method"] != "eth_call":
            return answer
        return {"jsonrpc": "2.0", "id": answer["id"], **change} if nothing_else else {**answer, **change}

    return spoil


REFUSAL = {"error": {"code": -32000, "message": "header not found"}}


class TestE10ErrorsInside:
    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(of_balances(REFUSAL, nothing_else=True), id="E10 an error with status 200"),
            pytest.param(of_balances(REFUSAL, nothing_else=False), id="E10 result and error both"),
            pytest.param(of_balances({}, nothing_else=True), id="E10 neither result nor error"),
            pytest.param(of_balances({"result": None}, nothing_else=False), id="E10 null"),
            pytest.param(of_balances({"result": "0x0"}, nothing_else=False), id="E10 half a byte"),
            pytest.param(of_balances({"id": 77}, nothing_else=False), id="E10 somebody else's answer"),
        ],
    )
    async def test_e10_is_unread_and_the_other_endpoint_is_asked(
        self,
        http: Http,
        proxy: SwitchingProxy,
        other: SwitchingProxy,
        spoil: Callable[[Message, Message], Message],
    ) -> None:
        proxy.spoil = spoil

        assert (await refused(chain(http, proxy))).reason is FailureReason.LAG
        assert (await chain(http, proxy, other).balances(list(HELD))).endpoint == "127.0.0.3"


class TestE11Upgrades:
    async def snapshot(self, ours: EvmChain) -> Snapshot:
        return await ours.balances(list(HELD))

    async def test_e11_a_token_that_reverts_is_unread_and_never_gone(
        self, http: Http, node: Anvil, proxy: SwitchingProxy
    ) -> None:
        ours = chain(http, proxy)
        assert await read(ours) == HELD
        (sender, *_) = await node.accounts()
        await node.send(sender, USDT.contract or "", value=0, data=calldata("pause(bool)", 1))

        assert await read(ours) == COINS
        await node.send(sender, USDT.contract or "", value=0, data=calldata("pause(bool)", 0))
        assert await read(ours) == HELD

    async def test_e11_a_token_that_is_no_more_is_unread_and_never_gone(
        self, http: Http, node: Anvil, proxy: SwitchingProxy
    ) -> None:
        ours = chain(http, proxy)
        assert await read(ours) == HELD
        await node.rpc("anvil_setCode", USDT.contract, "0x")
        await node.mine()

        assert await read(ours) == COINS

    async def test_e11_a_change_of_decimals_is_noticed_within_a_day(
        self, http: Http, node: Anvil, proxy: SwitchingProxy
    ) -> None:
        clock = SkippingClock()
        ours = chain(http, proxy, clock=clock, tokens=[USDT])
        assert await read(ours) == HELD
        await node.rpc("anvil_setCode", USDT.contract, ALWAYS_EIGHT)
        clock.skipped += timedelta(days=1, seconds=1)
        await node.rpc("evm_setNextBlockTimestamp", int(clock.now().timestamp()))
        await node.mine()

        assert await read(ours) == COINS
        with pytest.raises(RemoteError, match="USDT has 8 decimals, 6 were expected"):
            await ours.balances([holding for holding in HELD if holding.token == USDT])
