"""What a transaction of Solana did to lamports and tokens, from the balances before and after it."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from monitor.chains.blocks import Transfer
from monitor.chains.ledger import Head, Token
from monitor.chains.matching import matched
from monitor.chains.solana_node import Transaction

SOL = Token(asset="SOL", decimals=9)


class Kept(Struct, frozen=True):
    """Whose token an account of ours is."""

    owner: str
    token: Token


def transfers(
    transaction: Transaction, *, block: Head, kept: Mapping[str, Kept], mints: Mapping[str, Token]
) -> Iterator[Transfer]:
    """The fee, and who gave how much to whom. `kept` tells our token accounts by their address, `mints` our tokens.

    A token account that is not ours goes by the name of its owner, but for one of an owner of ours: its tokens are not
    in what we read as the owner's balance, so it is a stranger to us.
    """
    signers = tuple(transaction.signers())
    fee = transaction.meta.fee
    yield Transfer(
        block=block,
        transaction=transaction.id,
        token=SOL,
        sources=((signers[0], fee),),
        destinations=(),
        signers=signers,
        fee=fee,
    )
    yield from _told(transaction, _lamports(transaction), block=block, token=SOL, rent=_token_accounts(transaction))
    for mint, token in mints.items():
        changes = _amounts(transaction, mint=mint, kept=kept)
        yield from _told(transaction, changes, block=block, token=token, rent=frozenset())


def _told(
    transaction: Transaction, changes: Mapping[str, int], *, block: Head, token: Token, rent: frozenset[str]
) -> Iterator[Transfer]:
    """Lamports that go into `rent`, which are token accounts, pay nobody: they are what such an account costs."""
    for source, destination, amount in matched(changes):
        yield Transfer(
            block=block,
            transaction=transaction.id,
            token=token,
            sources=((source, amount),),
            destinations=() if destination in rent else ((destination, amount),),
            signers=tuple(transaction.signers()),
        )


def _lamports(transaction: Transaction) -> dict[str, int]:
    """What each account's lamports changed by, the fee aside."""
    meta = transaction.meta
    keys = transaction.keys()
    changes = {key: now - was for key, was, now in zip(keys, meta.pre_balances, meta.post_balances, strict=True)}
    changes[keys[0]] += meta.fee
    return changes


def _token_accounts(transaction: Transaction) -> frozenset[str]:
    keys = transaction.keys()
    return frozenset(keys[each.account_index] for each in transaction.meta.post_token_balances)


def _amounts(transaction: Transaction, *, mint: str, kept: Mapping[str, Kept]) -> dict[str, int]:
    """What everybody's holding of a token changed by."""
    keys = transaction.keys()
    owners = {each.owner for each in kept.values()}
    changes: dict[str, int] = {}
    meta = transaction.meta
    for sign, balances in ((-1, meta.pre_token_balances), (1, meta.post_token_balances)):
        for balance in balances:
            if balance.mint != mint:
                continue
            key = keys[balance.account_index]
            ours = kept.get(key)
            name = ours.owner if ours else key if balance.owner in owners else balance.owner or key
            changes[name] = changes.get(name, 0) + sign * int(balance.ui_token_amount.amount)
    return changes
