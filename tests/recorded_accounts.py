"""Small chains of accounts with a bit of everything in them, recorded off a node or what stands for one."""

from collections.abc import Sequence
from datetime import UTC, datetime

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from monitor.chains.evm import EvmChain
from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Holding, Token
from monitor.chains.multicall import MULTICALL3
from monitor.chains.solana import SolanaChain
from monitor.chains.solana_moves import SOL
from monitor.chains.tron import TronChain
from monitor.chains.tron_moves import TRX
from monitor.chains.xrp import XrpChain
from monitor.chains.xrp_moves import XRP
from monitor.http import Http
from tests import tron_chain, tron_state, xrp_state
from tests.anvil import ETHER, Anvil, anvil, calldata
from tests.hand_clock import HandClock
from tests.recordings import Scene, afar, everything, local, nonces
from tests.solana_cluster import TOKEN_2022, Cluster
from tests.solana_shim import SolanaShim
from tests.tape import Recorder, Replay, Tape
from tests.tron_server import TronServer
from tests.tron_stakes import delegate, freeze, freeze_first, unfreeze
from tests.xrp_ledger import XrpLedger
from tests.xrp_server import XrpServer

ETH = Token(asset="ETH")
USDT = Token(asset="USDT", contract="0x" + "a1" * 20, decimals=6)
DAI = Token(asset="DAI", contract="0x" + "a2" * 20, decimals=6)
STRANGER = "0x" + "ee" * 20
MILLION = 1_000_000


async def evm() -> list[Scene]:
    """One chain in three ways: by whole blocks, by events, and without Multicall3."""
    async with anvil(genesis=datetime.now(UTC)) as node, Recorder() as http:
        ours, after = await _evm_life(node)
        scenes = [await _evm_scene("evm", node, http, ours, after=after, whole_blocks=True)]
        scenes.append(await _evm_scene("evm events", node, http, ours, after=after, whole_blocks=False))
        await node.rpc("anvil_setCode", MULTICALL3, "0x")
        await node.mine()
        scenes.append(await _evm_scene("evm without multicall", node, http, ours, after=after, whole_blocks=False))
    return scenes


async def _evm_life(node: Anvil) -> tuple[list[str], int]:
    ann, bob, carl = (await node.accounts())[:3]
    await node.pace(1)
    for token in (USDT, DAI):
        await node.put_token(token.contract or "")
    await node.put_multicall()
    await node.mint(USDT.contract or "", ann, 900, sender=carl)
    after = await node.height()
    await node.send(ann, STRANGER, value=5 * ETHER)
    await node.send(ann, bob, value=7 * ETHER)
    for sender, to, amount in ((ann, carl, 30), (ann, bob, 40), (carl, bob, 3)):
        data = calldata("transfer(address,uint256)", int(to, 16), amount)
        await node.send(sender, USDT.contract or "", value=0, data=data)
    await node.mint(DAI.contract or "", bob, 70, sender=carl)
    return [ann, bob], after


async def _evm_scene(
    name: str, node: Anvil, http: Recorder, ours: list[str], *, after: int, whole_blocks: bool
) -> Scene:
    now = await node.time()

    def opened(http: Http, endpoints: Sequence[Endpoint]) -> EvmChain:
        return EvmChain(
            http,
            HandClock(now),
            network="ethereum",
            chain_id=1,
            endpoints=endpoints,
            tokens=[USDT, DAI],
            whole_blocks=whole_blocks,
        )

    http.tape = Tape()
    ledger = opened(http, local(node.url))
    holdings = [Holding(address, token) for address in ours for token in (ETH, USDT, DAI)]
    asked = await everything(ledger, holdings=holdings, addresses=ours, after=after)
    await nonces(ledger, asked)
    return Scene(
        name=name,
        tape=http.tape,
        open=lambda teller: opened(Replay(teller), afar()),
        asked=asked,
        may_lack=frozenset(
            {"withdrawals", "baseFeePerGas", "l1Fee", "blobGasUsed", "blobGasPrice", "contractAddress", "removed"}
        ),
        lies=frozenset({"result[]", "logs[]", "topics[]", "withdrawals[]"}),
        name_themselves=frozenset({"eth_getBlockReceipts", "eth_getBlockByNumber", "eth_getTransactionReceipt"}),
    )


async def tron() -> list[Scene]:
    """java-tron leaves out a zero, an empty text and an empty list."""
    clock = HandClock()
    chain = tron_chain.TronChain(clock)
    hot, cold, empty, stranger = (tron_state.account(name) for name in ("hot", "cold", "empty", "stranger"))
    contract = chain.issue("USDT", decimals=6, holder=hot, amount=900 * MILLION)
    usdt = Token(asset="USDT", contract=contract, decimals=6)
    for address in (hot, cold, stranger):
        chain.fund(address, 5_000 * MILLION)
    chain.mine()
    freeze(chain, hot, 70 * MILLION)
    freeze_first(chain, cold, 30 * MILLION)
    chain.mine()
    unfreeze(chain, hot, 10 * MILLION)
    delegate(chain, hot, cold, 20 * MILLION)
    after = chain.mine().number
    chain.transfer(hot, stranger, 30 * MILLION)
    chain.transfer(hot, cold, 7 * MILLION, fee=MILLION)
    chain.send_token(contract, hot, stranger, 5 * MILLION)
    chain.mine()
    chain.send_token(contract, stranger, cold, 2 * MILLION, outcome=tron_state.Outcome.REVERT)
    chain.send_token(contract, hot, cold, 4 * MILLION)
    chain.mine(2)

    def opened(http: Http, endpoints: Sequence[Endpoint]) -> TronChain:
        return TronChain(http, HandClock(clock.now()), network="tron", endpoints=endpoints, tokens=[usdt])

    ours = [hot, cold, empty]
    holdings = [Holding(address, token) for address in ours for token in (TRX, usdt)]
    async with Recorder() as http, TronServer(chain) as server:
        asked = await everything(opened(http, local(server.url)), holdings=holdings, addresses=ours, after=after)
    return [
        Scene(
            name="tron",
            tape=http.tape,
            open=lambda teller: opened(Replay(teller), afar()),
            asked=asked,
            may_lack=frozenset({"*"}),
            lies=frozenset({"an empty object", "frozen[]", "frozenV2[]", "unfrozenV2[]", "log[]", "topics[]"}),
            name_themselves=frozenset({"/wallet/getblockbylimitnext", "/wallet/gettransactioninfobyblocknum"}),
        )
    ]


async def xrp() -> list[Scene]:
    clock = HandClock()
    chain = XrpLedger(clock)
    hot, cold, empty, stranger, gone = (
        xrp_state.account(name) for name in ("hot", "cold", "empty", "stranger", "gone")
    )
    for address in (hot, cold, stranger, gone):
        chain.fund(address, 5_000 * MILLION)
    chain.close()
    after = chain.newest.index
    chain.pay(hot, stranger, 30 * MILLION)
    chain.pay(hot, cold, 7 * MILLION)
    chain.close()
    chain.pay(stranger, hot, 2 * MILLION)
    chain.lock(cold, stranger, 5 * MILLION)
    chain.close()

    def opened(http: Http, endpoints: Sequence[Endpoint]) -> XrpChain:
        return XrpChain(http, HandClock(clock.now()), network="xrp", endpoints=endpoints)

    ours = [hot, cold, empty]
    async with Recorder() as http, XrpServer(chain, clock) as server:
        server.page = 2
        asked = await everything(
            opened(http, local(server.url)),
            holdings=[Holding(address, XRP) for address in ours],
            addresses=ours,
            after=after,
        )
    return [
        Scene(
            name="xrp",
            tape=http.tape,
            open=lambda teller: opened(Replay(teller), afar()),
            asked=asked,
            may_lack=frozenset({"PreviousFields", "Balance", "TransactionType"}),
            lies=frozenset({"LedgerEntryType", "TransactionType", "AffectedNodes[]"}),
            name_themselves=frozenset({"account_info", "account_tx"}),
        )
    ]


async def solana() -> list[Scene]:
    clock = HandClock()
    cluster = Cluster(clock)
    hot, cold, stranger, empty = Keypair(), Keypair(), Keypair(), Pubkey.new_unique()
    for wallet in (hot, cold, stranger):
        cluster.fund(wallet.pubkey(), 500 * 10**9)
    mint, newer = cluster.mint(), cluster.mint(program=TOKEN_2022)
    tokens = [
        Token(asset="USDC", contract=str(mint), decimals=6),
        Token(asset="PYUSD", contract=str(newer), decimals=6),
    ]
    cluster.issue(mint, hot.pubkey(), 900 * MILLION)
    cluster.issue(newer, hot.pubkey(), 80 * MILLION)
    cluster.advance()
    after = cluster.slot
    cluster.pay(hot, stranger.pubkey(), 30 * 10**9)
    cluster.pay(hot, cold.pubkey(), 7 * 10**9)
    cluster.advance()
    cluster.send_token(mint, hot, cold.pubkey(), 5 * MILLION, opens=True)
    cluster.advance(2)

    def opened(http: Http, endpoints: Sequence[Endpoint]) -> SolanaChain:
        return SolanaChain(http, HandClock(clock.now()), network="solana", endpoints=endpoints, tokens=tokens)

    ours = [str(hot.pubkey()), str(cold.pubkey()), str(empty)]
    async with Recorder() as http, SolanaShim(cluster) as shim:
        asked = await everything(
            opened(http, local(shim.url)),
            holdings=[Holding(address, token) for address in ours for token in (SOL, *tokens)],
            addresses=ours,
            after=after,
        )
    return [
        Scene(
            name="solana",
            tape=http.tape,
            open=lambda teller: opened(Replay(teller), afar()),
            asked=asked,
            may_lack=frozenset({"value"}),
            lies=frozenset(
                {
                    "accountKeys",
                    "blockhash",
                    "mint",
                    "owner",
                    "postBalances[]",
                    "postTokenBalances[]",
                    "preBalances[]",
                    "preTokenBalances[]",
                    "result[]",
                    "value[]",
                }
            ),
            name_themselves=frozenset({"getTransaction"}),
        )
    ]
