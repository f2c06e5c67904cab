"""Blocks, transactions and sums as Esplora writes them. Amounts are satoshis."""

from collections.abc import Mapping, Sequence

from tests.esplora_chain import Block, Coin, Output, Transaction, hash_of

NO_COIN = {"txid": "0" * 64, "vout": 0xFFFFFFFF}


def block_json(block: Block) -> dict[str, object]:
    return {
        "id": block.hash,
        "height": block.height,
        "version": 0x20000000,
        "timestamp": block.time,
        "tx_count": len(block.transactions),
        "size": 1_500_000,
        "weight": 3_993_000,
        "merkle_root": hash_of("merkle root", block.hash),
        "previousblockhash": block.previous,
        "mediantime": block.median_time,
        "nonce": 2_083_236_893,
        "bits": 386_043_996,
        "difficulty": 126_411_437_451_912.23,
    }


def transaction_json(tx: Transaction, known: Mapping[Coin, Output], block: Block | None) -> dict[str, object]:
    """`block` is None for one that is not in the best chain."""
    return {
        "txid": tx.txid,
        "version": 2,
        "locktime": 0,
        "vin": [_input(coin, known[coin]) for coin in tx.inputs] or [_coinbase_input()],
        "vout": [_output(output) for output in tx.outputs],
        "size": 222,
        "weight": 561,
        "fee": tx.fee,
        "status": status_json(block),
    }


def in_block(transaction: Mapping[str, object]) -> dict[str, object]:
    """A transaction of a block: without a status."""
    return {name: value for name, value in transaction.items() if name != "status"}


def status_json(block: Block | None) -> dict[str, object]:
    if block is None:
        return {"confirmed": False}
    return {"confirmed": True, "block_height": block.height, "block_hash": block.hash, "block_time": block.time}


def stats_json(
    address: str, transactions: Sequence[Transaction], known: Mapping[Coin, Output], *, more: int
) -> dict[str, int]:
    """What `transactions` paid to the address and spent of it; `more` is added to what they paid."""
    funded = [output.value for tx in transactions for output in tx.outputs if output.address == address]
    spent = [known[coin].value for tx in transactions for coin in tx.inputs if known[coin].address == address]
    return {
        "funded_txo_count": len(funded),
        "funded_txo_sum": sum(funded) + more,
        "spent_txo_count": len(spent),
        "spent_txo_sum": sum(spent),
        "tx_count": len(transactions),
    }


def _input(coin: Coin, spent: Output) -> dict[str, object]:
    return {
        "txid": coin.txid,
        "vout": coin.vout,
        "prevout": _output(spent),
        "scriptsig": "",
        "scriptsig_asm": "",
        "witness": ["3044", "02"],
        "is_coinbase": False,
        "sequence": 0xFFFFFFFD,
    }


def _coinbase_input() -> dict[str, object]:
    return {
        **NO_COIN,
        "prevout": None,
        "scriptsig": "03a0bb0d",
        "scriptsig_asm": "OP_PUSHBYTES_3 a0bb0d",
        "witness": ["0" * 64],
        "is_coinbase": True,
        "sequence": 0xFFFFFFFF,
    }


def _output(output: Output) -> dict[str, object]:
    """A script without an address has no field for it."""
    told: dict[str, object] = {
        "scriptpubkey": output.script,
        "scriptpubkey_asm": "OP_RETURN" if output.kind == "op_return" else "OP_PUSHBYTES",
        "scriptpubkey_type": output.kind,
        "value": output.value,
    }
    return told if output.address is None else {**told, "scriptpubkey_address": output.address}
