"""An EVM chain block by block: its own coin and its tokens, from whole blocks and the receipts of their transactions.

What contracts send each other of the chain's own coin within a transaction leaves no trace in either and is not seen:
the flows then differ from what the balances changed by, which the reserve check shows.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from monitor.chains import eth_logs
from monitor.chains.blocks import Transfer
from monitor.chains.eth_logs import Block, Receipt, Transaction
from monitor.chains.evm_transfers import TokenTransfers
from monitor.chains.jsonrpc import SMALLER_MAY_PASS, Node, Unread
from monitor.chains.ledger import Head, Token
from monitor.model import FailureReason, RemoteError


class WholeBlocks:
    """Reads transfers of `coin` and of the tokens that `tokens` reads."""

    def __init__(self, coin: Token, tokens: TokenTransfers) -> None:
        self._coin = coin
        self._tokens = tokens

    async def read(self, node: Node, watched: Collection[str], *, after: Head, upto: Head) -> list[Transfer]:
        """Transfers from or to `watched` addresses in the blocks above `after` up to `upto`, oldest first.

        Raises `RemoteError`: LAG where the blocks are no chain from the one to the other, SCHEMA where receipts are
        not those of their block.
        """
        transfers: list[Transfer] = []
        parent = after.hash
        with_events = True
        for number in range(after.number + 1, upto.number + 1):
            block = await _block(node, number)
            if block.parent != parent:
                raise RemoteError(FailureReason.LAG, f"{node.host}: block {number} does not follow {parent}")
            receipts = await self._receipts(node, block) if with_events else None
            if receipts is None:
                with_events = False
                receipts = await _receipts_one_by_one(node, block, watched)
            transfers += self._transfers(block, receipts, watched)
            parent = block.head.hash
        if parent != upto.hash:
            raise RemoteError(FailureReason.LAG, f"{node.host}: block {upto.number} {upto.hash} is not in the chain")
        if with_events:
            return transfers
        # Without the receipts of whole blocks the events are searched for, in all of them.
        coins = [transfer for transfer in transfers if transfer.token == self._coin]
        tokens = await self._tokens.read(node, watched, after=after, upto=upto)
        return sorted([*coins, *tokens], key=lambda transfer: transfer.block.number)

    async def _receipts(self, node: Node, block: Block) -> dict[str, Receipt] | None:
        """The receipts of all transactions, by hash; None where the node does not tell them of a whole block."""
        if not block.transactions:
            return {}
        try:
            answer = await node.call(eth_logs.block_receipts(block.head.number, contracts=self._tokens.tokens.keys()))
        except RemoteError as error:
            if error.reason in SMALLER_MAY_PASS:
                return None
            raise
        match answer:
            case Unread():
                return None
            case receipts:
                return _of_block(receipts, block, asked=[each.hash for each in block.transactions], host=node.host)

    def _transfers(self, block: Block, receipts: Mapping[str, Receipt], watched: Collection[str]) -> Iterator[Transfer]:
        for transaction in block.transactions:
            receipt = receipts.get(transaction.hash)
            if receipt is None:
                continue
            yield from self._coins(block, transaction, receipt, watched)
            for event in receipt.events:
                if event.amount and (event.source in watched or event.destination in watched):
                    yield self._tokens.transfer(event, block=block.head, signer=transaction.sender)
        yield from self._income(block, receipts.values(), watched)

    def _coins(
        self, block: Block, transaction: Transaction, receipt: Receipt, watched: Collection[str]
    ) -> Iterator[Transfer]:
        """A transaction that failed moves nothing but its fee."""
        to = transaction.to if receipt.created is None else receipt.created
        arrives = receipt.succeeded and transaction.value > 0 and to is not None
        if transaction.sender in watched or (arrives and to in watched):
            value = transaction.value if arrives else 0
            yield Transfer(
                block=block.head,
                transaction=transaction.hash,
                token=self._coin,
                sources=((transaction.sender, value + receipt.fee),),
                destinations=((to, value),) if arrives and to is not None else (),
                signers=(transaction.sender,),
                fee=receipt.fee,
            )

    def _income(self, block: Block, receipts: Collection[Receipt], watched: Collection[str]) -> Iterator[Transfer]:
        """What comes from no transaction: the tips of a block, and withdrawals from the beacon chain."""
        shares = [(f"withdrawal {each.index}", each.address, each.amount) for each in block.withdrawals]
        tips = sum(receipt.gas * max(0, receipt.gas_price - block.base_fee) for receipt in receipts)
        for what, address, amount in [(f"tips of {block.head.number}", block.fee_recipient, tips), *shares]:
            if address in watched and amount:
                yield Transfer(
                    block=block.head, transaction=what, token=self._coin, sources=(), destinations=((address, amount),)
                )


async def _receipts_one_by_one(node: Node, block: Block, watched: Collection[str]) -> dict[str, Receipt]:
    """The receipts of the transactions that the watched addresses have to do with."""
    all_of_them = block.fee_recipient in watched
    asked = [each.hash for each in block.transactions if all_of_them or _concerns(each, watched)]
    answers = await node.batch([eth_logs.receipt(transaction) for transaction in asked])
    receipts: list[Receipt] = []
    for answer in answers:
        match answer:
            case Unread(detail=detail):
                raise RemoteError(FailureReason.SCHEMA, f"{node.host}: {detail}")
            case receipt:
                receipts.append(receipt)
    return _of_block(receipts, block, asked=asked, host=node.host)


def _concerns(transaction: Transaction, watched: Collection[str]) -> bool:
    return transaction.sender in watched or transaction.to in watched


def _of_block(receipts: Sequence[Receipt], block: Block, *, asked: Sequence[str], host: str) -> dict[str, Receipt]:
    """By transaction. Raises `RemoteError`: SCHEMA where they are not those asked for, LAG where of another block."""
    number = block.head.number
    if [receipt.transaction for receipt in receipts] != asked:
        detail = f"{host}: asked for {len(asked)} receipts of block {number}, got {len(receipts)} or of others"
        raise RemoteError(FailureReason.SCHEMA, detail)
    creating = {each.hash for each in block.transactions if each.to is None}
    if any(each.succeeded and each.transaction in creating and each.created is None for each in receipts):
        raise RemoteError(FailureReason.SCHEMA, f"{host}: a transaction of block {number} went nowhere")
    if any(receipt.block_hash != block.head.hash for receipt in receipts):
        raise RemoteError(FailureReason.LAG, f"{host}: a receipt of block {number} is of another block")
    return {receipt.transaction: receipt for receipt in receipts}


async def _block(node: Node, number: int) -> Block:
    match await node.call(eth_logs.whole_block(number)):
        case Unread(detail=detail):
            raise RemoteError(FailureReason.SCHEMA, f"{node.host}: block {number}: {detail}")
        case None:
            raise RemoteError(FailureReason.LAG, f"{node.host}: no block {number}")
        case block if block.head.number != number:
            raise RemoteError(FailureReason.SCHEMA, f"{node.host}: asked for block {number}, got {block.head.number}")
        case block:
            return block
