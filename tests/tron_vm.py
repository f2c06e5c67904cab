"""What `triggerconstantcontract` answers for TRC-20 tokens, in the shapes of its documentation."""

from collections.abc import Mapping

import base58

from tests.tron_chain import Block
from tests.tron_state import Trc20

SELECTORS = {
    "balanceOf(address)": "70a08231",
    "decimals()": "313ce567",
    "symbol()": "95d89b41",
    "name()": "06fdde03",
    "totalSupply()": "18160ddd",
}
REVERTED = "REVERT opcode executed"


def constant_call(
    newest: Block, values: Mapping[str, object], lies: Mapping[tuple[str, str | None], int]
) -> dict[str, object]:
    """Refusals are in `result.code`; a revert is a success with a message, and a transaction that FAILED."""
    visible = values.get("visible") is True
    try:
        owner, contract = (_raw(values, name, visible=visible) for name in ("owner_address", "contract_address"))
        data = _data(values)
    except (KeyError, ValueError) as error:
        return _refused("OTHER_ERROR", f"class java.lang.IllegalArgumentException : {error}", visible=visible)
    address = base58.b58encode_check(contract).decode()
    token = newest.state.tokens.get(address)
    if token is None:
        return _refused("CONTRACT_VALIDATE_ERROR", "Smart contract is not exist.", visible=visible)
    told = _run(token, address, data, lies)
    result: dict[str, object] = {"result": True}
    if told is None:
        result["message"] = _text(REVERTED, visible=visible)
    return {
        "result": result,
        "energy_used": 935,
        "constant_result": ["" if told is None else told],
        "transaction": {
            "ret": [{"ret": "FAILED"} if told is None else {}],
            "visible": visible,
            "txID": newest.id[::-1],
            "raw_data": {
                "contract": [
                    {
                        "parameter": {
                            "value": {
                                "data": data,
                                "owner_address": owner.hex(),
                                "contract_address": contract.hex(),
                            },
                            "type_url": "type.googleapis.com/protocol.TriggerSmartContract",
                        },
                        "type": "TriggerSmartContract",
                    }
                ],
                "expiration": newest.time_ms + 60_000,
                "timestamp": newest.time_ms,
            },
        },
    }


def _raw(values: Mapping[str, object], name: str, *, visible: bool) -> bytes:
    text = str(values[name])
    raw = base58.b58decode_check(text) if visible else bytes.fromhex(text)
    if len(raw) != 21 or raw[0] != 0x41:
        raise ValueError(f"invalid {name}")
    return raw


def _data(values: Mapping[str, object]) -> str:
    """`data`, or a function's signature and its parameter."""
    match values:
        case {"function_selector": str(signature)} if signature:
            parameter = str(values.get("parameter", ""))
            bytes.fromhex(parameter)
            return SELECTORS.get(signature, "ffffffff") + parameter
        case {"data": str(data)}:
            return bytes.fromhex(data).hex()
        case _:
            raise ValueError("invalid hash value")


def _run(token: Trc20, address: str, data: str, lies: Mapping[tuple[str, str | None], int]) -> str | None:
    """None is a revert."""
    match data[:8]:
        case "70a08231" if len(data) >= 72:
            holder = base58.b58encode_check(b"\x41" + bytes.fromhex(data[32:72])).decode()
            return f"{token.balances.get(holder, 0) + lies.get((holder, address), 0):064x}"
        case "313ce567":
            return f"{token.decimals:064x}"
        case "95d89b41" | "06fdde03":
            text = token.symbol.encode()
            return f"{32:064x}{len(text):064x}{text.hex().ljust(64, '0')}"
        case "18160ddd":
            return f"{sum(token.balances.values()):064x}"
        case _:
            return None


def _refused(code: str, message: str, *, visible: bool) -> dict[str, object]:
    return {"result": {"code": code, "message": _text(message, visible=visible)}}


def _text(message: str, *, visible: bool) -> str:
    return message if visible else message.encode().hex()
