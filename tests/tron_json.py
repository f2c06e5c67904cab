"""Blocks, transactions, receipts and accounts as java-tron writes them: hexadecimal, or `visible` text."""

from collections.abc import Callable, Mapping

from tests.tron_chain import FIRST_BLOCK, SLOT_MS, Block, Transaction
from tests.tron_state import Account, Log, Outcome, Resource, Sent, in_hex

WITNESS = "41b2f713d57dbcec679d93a8849fa0cd0e4db594ba"
SIGNATURE = "5b3cf6cb15d52947989f7726f4907a144b39ccd667a1a0f98707b40cdfe65b96" * 2 + "00"
CALL = b"call".hex()
REASONS = {
    Outcome.REVERT: "REVERT opcode executed",
    Outcome.OUT_OF_ENERGY: "Not enough energy for 'SSTORE' operation executing",
}

Write = Callable[[str], str]
"""How an address is written."""


def writes(values: Mapping[str, object]) -> Write:
    return _as_it_is if values.get("visible") is True else in_hex


def _as_it_is(address: str) -> str:
    return address


def block_json(block: Block, write: Write) -> dict[str, object]:
    """An empty block has no `transactions`."""
    whole: dict[str, object] = {
        "blockID": block.id,
        "block_header": {
            "raw_data": {
                "number": block.number,
                "txTrieRoot": block.id[::-1] if block.transactions else "0" * 64,
                "witness_address": WITNESS,
                "parentHash": block.parent,
                "version": 34,
                "timestamp": block.time_ms,
            },
            "witness_signature": SIGNATURE,
        },
    }
    if block.transactions:
        whole["transactions"] = [transaction_json(block, tx, write) for tx in block.transactions]
    return whole


def transaction_json(block: Block, tx: Transaction, write: Write) -> dict[str, object]:
    return {
        "ret": [{"contractRet": tx.outcome.value}],
        "signature": [SIGNATURE],
        "txID": tx.id,
        "raw_data": {
            "contract": [
                {
                    "parameter": {
                        "value": _written(tx.value, write),
                        "type_url": f"type.googleapis.com/protocol.{tx.kind}",
                    },
                    "type": tx.kind,
                }
            ],
            "ref_block_bytes": f"{(block.number - 1) % 65536:04x}",
            "ref_block_hash": block.parent[16:32],
            "expiration": block.time_ms + 60_000,
            "timestamp": block.time_ms - SLOT_MS,
        },
        "raw_data_hex": f"0a02{FIRST_BLOCK:x}",
    }


def _written(value: Mapping[str, object], write: Write) -> dict[str, object]:
    return {name: write(str(found)) if name.endswith("_address") else found for name, found in value.items()}


def info_json(block: Block, tx: Transaction, write: Write) -> dict[str, object]:
    info: dict[str, object] = {
        "id": tx.id,
        "blockNumber": block.number,
        "blockTimeStamp": block.time_ms,
        "contractResult": [""],
        "receipt": _receipt(tx),
        **block.told[tx.id],
    }
    if tx.fee:
        info["fee"] = tx.fee
    if tx.contract is not None:
        info["contract_address"] = write(tx.contract)
    if tx.outcome is not Outcome.SUCCESS:
        info["result"] = "FAILED"
        info["resMessage"] = REASONS[tx.outcome].encode().hex()
    if tx.logs:
        info["log"] = [_log(log, write) for log in tx.logs]
    if tx.internal:
        info["internal_transactions"] = [_internal(tx, place, move, write) for place, move in enumerate(tx.internal)]
    return info


def _receipt(tx: Transaction) -> dict[str, object]:
    """Bandwidth is paid for with a fee or used up; energy is only of contract calls."""
    if tx.contract is None:
        return {"net_fee": tx.fee} if tx.fee else {"net_usage": 268}
    receipt: dict[str, object] = {"energy_usage_total": 64_285, "result": tx.outcome.value}
    if not tx.fee:
        return {**receipt, "energy_usage": 64_285, "net_usage": 345}
    bandwidth = min(345_000, tx.fee)
    return {**receipt, "net_fee": bandwidth, "energy_fee": tx.fee - bandwidth}


def _log(log: Log, write: Write) -> dict[str, object]:
    """The contract has 20 bytes here and no 41 before them; only `visible` writes it as an address."""
    contract = log.contract if write is _as_it_is else in_hex(log.contract)[2:]
    told: dict[str, object] = {"address": contract, "topics": list(log.topics)}
    return {**told, "data": log.data} if log.data else told


def _internal(tx: Transaction, place: int, move: Sent, write: Write) -> dict[str, object]:
    internal: dict[str, object] = {
        "hash": f"{tx.id[:60]}{place:04x}",
        "caller_address": write(move.sender),
        "transferTo_address": write(move.receiver),
        "callValueInfo": [{"callValue": move.amount} if move.amount else {}],
        "note": CALL,
    }
    return internal if tx.outcome is Outcome.SUCCESS else {**internal, "rejected": True}


def account_json(address: str, account: Account, write: Write, *, more: int = 0) -> dict[str, object]:
    """`more` is added to the balance. An account without TRX has no `balance`."""
    told = {
        "address": write(address),
        "balance": account.balance + more,
        "create_time": account.created_ms,
        "allowance": account.allowance,
        "delegated_frozen_balance_for_bandwidth": account.first.delegated.get(Resource.BANDWIDTH, 0),
        "acquired_delegated_frozen_balance_for_bandwidth": account.first.acquired.get(Resource.BANDWIDTH, 0),
        "delegated_frozenV2_balance_for_bandwidth": account.second.delegated.get(Resource.BANDWIDTH, 0),
        "acquired_delegated_frozenV2_balance_for_bandwidth": account.second.acquired.get(Resource.BANDWIDTH, 0),
        "frozen": [_frozen_first(account, Resource.BANDWIDTH)] if account.first.own.get(Resource.BANDWIDTH) else [],
        "tron_power": _frozen_first(account, Resource.TRON_POWER),
        "old_tron_power": -1 if account.first.own else 0,
        "account_resource": _account_resource(account),
        "unfrozenV2": [
            {
                **_typed(one.resource),
                "unfreeze_amount": one.amount,
                "unfreeze_expire_time": one.until_ms,
            }
            for one in account.unfreezing
        ],
    }
    shown = {name: value for name, value in told.items() if value}
    if account.is_contract:
        return {**shown, "type": "Contract", "account_resource": {}}
    return {**shown, "frozenV2": [_frozen_second(account, resource) for resource in Resource]}


def _account_resource(account: Account) -> dict[str, object]:
    told = {
        "frozen_balance_for_energy": _frozen_first(account, Resource.ENERGY),
        "delegated_frozen_balance_for_energy": account.first.delegated.get(Resource.ENERGY, 0),
        "acquired_delegated_frozen_balance_for_energy": account.first.acquired.get(Resource.ENERGY, 0),
        "delegated_frozenV2_balance_for_energy": account.second.delegated.get(Resource.ENERGY, 0),
        "acquired_delegated_frozenV2_balance_for_energy": account.second.acquired.get(Resource.ENERGY, 0),
    }
    return {
        "energy_window_size": 28_800_000,
        "energy_window_optimized": True,
        **{name: value for name, value in told.items() if value},
    }


def _frozen_first(account: Account, resource: Resource) -> dict[str, int]:
    sun = account.first.own.get(resource, 0)
    return {"frozen_balance": sun, "expire_time": account.created_ms + 3 * 86_400_000} if sun else {}


def _frozen_second(account: Account, resource: Resource) -> dict[str, object]:
    sun = account.second.own.get(resource, 0)
    return {**_typed(resource), **({"amount": sun} if sun else {})}


def _typed(resource: Resource) -> dict[str, object]:
    return {} if resource is Resource.BANDWIDTH else {"type": resource.value}
