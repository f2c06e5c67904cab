"""What java-tron's HTTP API is asked and answers, as far as we read it. It leaves out fields that are zero or empty.

https://tronprotocol.github.io/documentation-en/api/http/ and `Tron.proto`. Addresses are 21 bytes in hex, amounts sun.
"""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from monitor.chains.ledger import Head

Milliseconds = Annotated[int, Meta(ge=0, le=253402300799000)]
"""Up to the last second of the year 9999, which is where `datetime` ends."""
Amount = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Height = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Party = Annotated[str, Meta(pattern=r"^(41[0-9a-f]{40})?\Z")]
"""An address, or none."""
Digits = Annotated[str, Meta(pattern=r"^([0-9a-f]{2})*\Z")]
Word = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Outcome = Annotated[str, Meta(pattern=r"^[A-Z_]*\Z")]
Kind = Annotated[str, Meta(pattern=r"^[A-Z][A-Za-z0-9]*Contract\Z")]


class Nothing(Struct, frozen=True):
    pass


class NewestHeader(Struct, frozen=True):
    detail: bool = False


class HeaderAt(Struct, frozen=True):
    id_or_num: str
    detail: bool = False


class Number(Struct, frozen=True):
    num: int


class Range(Struct, frozen=True, rename="camel"):
    start_num: int
    end_num: int  # the first that is not in it


class Address(Struct, frozen=True):
    address: str


class ConstantCall(Struct, frozen=True):
    owner_address: str
    contract_address: str
    function_selector: str
    parameter: str


class Refusal(Struct, frozen=True):
    error: str = field(default="", name="Error")


class _Frozen(Struct, frozen=True):
    frozen_balance: Amount = 0


class _FrozenV2(Struct, frozen=True):
    amount: Amount = 0


class _Unfrozen(Struct, frozen=True):
    unfreeze_amount: Amount = 0


class _Resource(Struct, frozen=True):
    frozen_balance_for_energy: _Frozen = _Frozen()
    delegated_frozen_balance_for_energy: Amount = 0
    delegated_v2: Amount = field(default=0, name="delegated_frozenV2_balance_for_energy")


class Account(Struct, frozen=True):
    address: str
    balance: Amount = 0
    frozen: list[_Frozen] = []
    tron_power: _Frozen = _Frozen()
    delegated_frozen_balance_for_bandwidth: Amount = 0
    account_resource: _Resource = _Resource()
    frozen_v2: list[_FrozenV2] = field(default_factory=list, name="frozenV2")
    unfrozen_v2: list[_Unfrozen] = field(default_factory=list, name="unfrozenV2")
    delegated_v2: Amount = field(default=0, name="delegated_frozenV2_balance_for_bandwidth")

    def owned(self) -> int:
        """All that is the account's own: free, staked by either system, lent as resources, and on its way back.

        What is lent *to* the account (`acquired_*`) is not, nor is a reward that was not withdrawn yet (`allowance`).
        """
        resource = self.account_resource
        staked = sum(
            part.frozen_balance for part in (*self.frozen, self.tron_power, resource.frozen_balance_for_energy)
        )
        staked += sum(part.amount for part in self.frozen_v2)
        lent = self.delegated_frozen_balance_for_bandwidth + resource.delegated_frozen_balance_for_energy
        lent += self.delegated_v2 + resource.delegated_v2
        return self.balance + staked + lent + sum(part.unfreeze_amount for part in self.unfrozen_v2)


class _Return(Struct, frozen=True):
    result: bool = False
    code: str = ""
    message: str = ""


class _Ran(Struct, frozen=True):
    ret: str = ""


class _Simulated(Struct, frozen=True):
    ret: list[_Ran] = []


class Constant(Struct, frozen=True):
    result: _Return = _Return()
    constant_result: list[str] = []
    transaction: _Simulated = _Simulated()


class _HeaderData(Struct, frozen=True):
    timestamp: Milliseconds = 0
    number: Height = 0
    transactions: str = field(default="", name="txTrieRoot")
    parent: str = field(default="", name="parentHash")


class _Header(Struct, frozen=True):
    raw_data: _HeaderData = _HeaderData()


class _NewContract(Struct, frozen=True):
    call_value: Amount = 0


class ContractValue(Struct, frozen=True):
    """The fields of any kind of transaction that say who gives TRX to whom."""

    owner_address: Party = ""
    to_address: Party = ""
    contract_address: Party = ""
    amount: Amount = 0
    call_value: Amount = 0
    new_contract: _NewContract = _NewContract()


class _Parameter(Struct, frozen=True):
    value: ContractValue


class Contract(Struct, frozen=True):
    type: Kind
    parameter: _Parameter


class _RawTransaction(Struct, frozen=True):
    contract: Annotated[list[Contract], Meta(min_length=1, max_length=1)]


class _Outcome(Struct, frozen=True, rename={"contract_ret": "contractRet"}):
    contract_ret: Annotated[str, Meta(pattern=r"^[A-Z_]+\Z")] = "SUCCESS"  # what java-tron leaves out


class Transaction(Struct, frozen=True, rename={"id": "txID"}):
    id: str
    raw_data: _RawTransaction
    ret: list[_Outcome] = []


class _CallValue(Struct, frozen=True, rename="camel"):
    call_value: Amount = 0
    token_id: str = ""  # of a TRC-10; without one it is TRX


class InternalTransaction(Struct, frozen=True):
    caller_address: Party = ""
    transfer_to: Party = field(default="", name="transferTo_address")
    values: list[_CallValue] = field(default_factory=list, name="callValueInfo")
    note: Digits = ""  # the instruction that made it, in hex
    rejected: bool = False


class Log(Struct, frozen=True):
    address: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]  # without the prefix
    topics: list[Word] = []
    data: Digits = ""


class TransactionInfo(Struct, frozen=True):
    """What became of a transaction."""

    id: str
    fee: Amount = 0  # TRX that its owner lost beside what it sent
    result: Outcome = ""
    contract_address: Party = ""
    withdraw_amount: Amount = 0
    log: list[Log] = []
    internal_transactions: list[InternalTransaction] = []


class Header(Struct, frozen=True):
    """A block without its transactions; no `id` where there is none."""

    id: str = field(default="", name="blockID")
    header: _Header = field(default_factory=_Header, name="block_header")

    @property
    def number(self) -> int:
        return self.header.raw_data.number

    @property
    def parent(self) -> str:
        return self.header.raw_data.parent

    def head(self) -> Head:
        seconds = self.header.raw_data.timestamp / 1000
        return Head(number=self.number, hash=self.id, timestamp=datetime.fromtimestamp(seconds, UTC))


class Block(Header, frozen=True):
    transactions: list[Transaction] = []


class Blocks(Struct, frozen=True):
    block: list[Block] = []
