"""What the transactions of a Tron block did to TRX and to TRC-20 tokens, from the block and what became of each.

Staking, unstaking and lending of resources move nothing: what is staked is still the account's own.
"""

import re
from collections.abc import Collection, Iterator, Mapping

import msgspec

from monitor.chains.blocks import Transfer
from monitor.chains.ledger import Head, Token
from monitor.chains.tron_messages import Block, Contract, InternalTransaction, Log, Transaction, TransactionInfo
from monitor.chains.tron_node import from_hex

TRX = Token(asset="TRX", decimals=6)

TRANSFER_TOPIC = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""Keccak-256 of `Transfer(address,address,uint256)`."""

# The exchange and the market that are built into the chain trade TRX without saying how much in what we read.
UNSEEN_KINDS = frozenset(
    {
        "ExchangeCreateContract",
        "ExchangeInjectContract",
        "ExchangeWithdrawContract",
        "ExchangeTransactionContract",
        "MarketSellAssetContract",
        "MarketCancelOrderContract",
    }
)

# Notes of internal transactions that move TRX; those of staking and of resources carry values that stay where they are.
_MOVING_NOTES = frozenset(note.encode().hex() for note in ("", "call", "create", "suicide"))
_REWARD_NOTE = b"withdrawReward".hex()

_WORD = re.compile(r"[0-9a-fA-F]{64}")

Step = tuple[str, str, int]
"""From, to and amount; "" is nobody: a reward comes from nowhere."""


def unseen(block: Block) -> set[str]:
    """The accounts, in hex, whose TRX a transaction of `block` may have moved in a way that we do not see."""
    contracts = (contract for transaction in block.transactions for contract in transaction.raw_data.contract)
    return {contract.parameter.value.owner_address for contract in contracts if contract.type in UNSEEN_KINDS}


def transfers(
    block: Block,
    outcomes: Mapping[str, TransactionInfo],
    *,
    own: Collection[str],
    tokens: Mapping[str, Token],
) -> Iterator[Transfer]:
    """What left or reached one of `own` (in hex); `tokens` are by contract, 20 bytes in hex.

    Raises `msgspec.ValidationError` where something moved, and from or to where cannot be read.
    """
    head = block.head()
    for transaction in block.transactions:
        info = outcomes[transaction.id]
        owners = [contract.parameter.value.owner_address for contract in transaction.raw_data.contract]
        if info.fee and any(owner in own for owner in owners):
            yield _fee(head, info, owner=owners[0])
        if _failed(transaction, info):
            continue
        for token, step in _steps(transaction, info, tokens=tokens):
            if step[2] and (step[0] in own or step[1] in own):
                yield _transfer(head, info, step, token=token, owners=owners)


def _failed(transaction: Transaction, info: TransactionInfo) -> bool:
    return info.result == "FAILED" or any(outcome.contract_ret != "SUCCESS" for outcome in transaction.ret)


def _fee(head: Head, info: TransactionInfo, *, owner: str) -> Transfer:
    payer = from_hex(owner)
    return Transfer(
        block=head,
        transaction=info.id,
        token=TRX,
        sources=((payer, info.fee),),
        destinations=(),
        signers=(payer,),
        fee=info.fee,
    )


def _transfer(head: Head, info: TransactionInfo, step: Step, *, token: Token, owners: list[str]) -> Transfer:
    source, destination, amount = step
    return Transfer(
        block=head,
        transaction=info.id,
        token=token,
        sources=((from_hex(source), amount),) if source else (),
        destinations=((from_hex(destination), amount),) if destination else (),
        signers=tuple(map(from_hex, owners)),
    )


def _steps(
    transaction: Transaction, info: TransactionInfo, *, tokens: Mapping[str, Token]
) -> Iterator[tuple[Token, Step]]:
    for contract in transaction.raw_data.contract:
        for step in _contract_steps(contract, info):
            yield TRX, step
    for internal in info.internal_transactions:
        for step in _internal_steps(internal):
            yield TRX, step
    for log in info.log:
        token = tokens.get(log.address)
        if token is not None:
            for step in _token_steps(log):
                yield token, step


def _contract_steps(contract: Contract, info: TransactionInfo) -> Iterator[Step]:
    value = contract.parameter.value
    match contract.type:
        case "TransferContract" | "ParticipateAssetIssueContract":
            yield _between(value.owner_address, value.to_address, value.amount)
        case "TriggerSmartContract":
            yield _between(value.owner_address, value.contract_address, value.call_value)
        case "CreateSmartContract":
            yield _between(value.owner_address, info.contract_address, value.new_contract.call_value)
        case "WithdrawBalanceContract":
            yield "", value.owner_address, info.withdraw_amount


def _internal_steps(internal: InternalTransaction) -> Iterator[Step]:
    if internal.rejected:
        return
    for value in internal.values:
        if value.token_id:
            continue
        if internal.note in _MOVING_NOTES:
            yield internal.caller_address, internal.transfer_to, value.call_value
        elif internal.note == _REWARD_NOTE:
            yield "", internal.transfer_to, value.call_value


def _between(source: str, destination: str, amount: int) -> Step:
    if amount and not (from_hex(source) and from_hex(destination)):
        raise msgspec.ValidationError(f"{amount} sun that came from or went to no address")
    return source, destination, amount


def _token_steps(log: Log) -> Iterator[Step]:
    match log.topics:
        case [topic, source, destination] if topic == TRANSFER_TOPIC and _WORD.fullmatch(log.data):
            yield f"41{source[-40:]}", f"41{destination[-40:]}", int(log.data, 16)
        case [topic, *_] if topic == TRANSFER_TOPIC:
            raise msgspec.ValidationError("a Transfer that is not one of an amount from one address to another")
