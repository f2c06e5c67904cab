"""A Solana of the real SVM in process: accounts, programs and fees are real, blocks are ours.

What is sent waits for `advance`, which runs it in the next slot.
"""

from collections.abc import Sequence

import base58
from msgspec import Struct
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata

from monitor.clock import Clock

TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
SYSTEM = Pubkey.default()
DECIMALS = 6
FEE = 5_000
RENT = 2_039_280  # of a token account
FIRST_SLOT = 400_000_000

Value = object


class Block(Struct, kw_only=True):
    slot: int
    hash: str
    time: int


class Done(Struct, frozen=True, kw_only=True):
    signature: str
    slot: int
    time: int
    keys: tuple[str, ...]
    told: dict[str, Value]  # as `getTransaction` tells it


class _Pending(Struct, frozen=True):
    instructions: tuple[Instruction, ...]
    signers: tuple[Keypair, ...]


class Cluster:
    """The chain itself. It starts with one block, and everybody who is funded is so before the second."""

    def __init__(self, clock: Clock) -> None:
        self.svm = LiteSVM()
        self.blocks: list[Block] = []
        self.done: list[Done] = []
        self._clock = clock
        self._pending: list[_Pending] = []
        self._authority = Keypair()
        self.svm.airdrop(self._authority.pubkey(), 10**12)
        self.svm.warp_to_slot(FIRST_SLOT)
        self._close(FIRST_SLOT)

    @property
    def slot(self) -> int:
        return self.blocks[-1].slot

    def fund(self, wallet: Pubkey, lamports: int) -> None:
        self.svm.airdrop(wallet, lamports)

    def mint(self, *, program: Pubkey = TOKEN) -> Pubkey:
        """A new token."""
        mint = Keypair().pubkey()
        option = (1).to_bytes(4, "little")
        data = option + bytes(self._authority.pubkey()) + bytes(8) + bytes([DECIMALS, 1]) + bytes(36)
        self.svm.set_account(mint, Account(lamports=10**9, data=data, owner=program))
        return mint

    def token_account(self, owner: Pubkey, mint: Pubkey) -> Pubkey:
        seeds = [bytes(owner), bytes(self._program(mint)), bytes(mint)]
        return Pubkey.find_program_address(seeds, ASSOCIATED)[0]

    def issue(self, mint: Pubkey, owner: Pubkey, amount: int) -> None:
        """Make `amount` of a token, and where there is none the account of `owner` for it."""
        place = self.token_account(owner, mint)
        data = bytes([7]) + amount.to_bytes(8, "little")
        metas = [_at(mint), _at(place), AccountMeta(self._authority.pubkey(), is_signer=True, is_writable=False)]
        made = self._open(self._authority.pubkey(), owner, mint)
        self.send([made, Instruction(self._program(mint), data, metas)], self._authority)

    def pay(self, sender: Keypair, receiver: Pubkey, lamports: int, *, payer: Keypair | None = None) -> None:
        move = transfer(TransferParams(from_pubkey=sender.pubkey(), to_pubkey=receiver, lamports=lamports))
        self.send([move], *((payer, sender) if payer else (sender,)))

    def send_token(self, mint: Pubkey, sender: Keypair, receiver: Pubkey, amount: int, *, opens: bool = False) -> None:
        """With `opens` the sender pays for the receiver's account first."""
        metas = [
            _at(self.token_account(sender.pubkey(), mint)),
            AccountMeta(mint, is_signer=False, is_writable=False),
            _at(self.token_account(receiver, mint)),
            AccountMeta(sender.pubkey(), is_signer=True, is_writable=False),
        ]
        move = Instruction(self._program(mint), bytes([12, *amount.to_bytes(8, "little"), DECIMALS]), metas)
        self.send([self._open(sender.pubkey(), receiver, mint), move] if opens else [move], sender)

    def send(self, instructions: Sequence[Instruction], *signers: Keypair) -> None:
        """The first of `signers` pays the fee."""
        self._pending.append(_Pending(tuple(instructions), signers))

    def advance(self, slots: int = 1, *, skip: int = 0) -> None:
        """Close `slots` blocks after `skip` slots without one; the first takes all that waits."""
        for n in range(slots):
            slot = self.slot + 1 + (skip if n == 0 else 0)
            self.svm.warp_to_slot(slot)
            pending, self._pending = self._pending, []
            for each in pending:
                self._run(each, slot=slot)
            self._close(slot)

    def _program(self, mint: Pubkey) -> Pubkey:
        found = self.svm.get_account(mint)
        assert found is not None
        return found.owner

    def _open(self, payer: Pubkey, owner: Pubkey, mint: Pubkey) -> Instruction:
        """Creates the associated account unless it is there."""
        others = (owner, mint, SYSTEM, self._program(mint))
        metas = [
            AccountMeta(payer, is_signer=True, is_writable=True),
            _at(self.token_account(owner, mint)),
            *(AccountMeta(key, is_signer=False, is_writable=False) for key in others),
        ]
        return Instruction(ASSOCIATED, bytes([1]), metas)

    def _run(self, pending: _Pending, *, slot: int) -> None:
        self.svm.expire_blockhash()
        blockhash = self.svm.latest_blockhash()
        message = Message.new_with_blockhash(list(pending.instructions), pending.signers[0].pubkey(), blockhash)
        transaction = Transaction(list(pending.signers), message, blockhash)
        keys = message.account_keys
        before = [self.svm.get_account(key) for key in keys]
        result = self.svm.send_transaction(transaction)
        after = [self.svm.get_account(key) for key in keys]
        failed = isinstance(result, FailedTransactionMetadata)
        signature = str(transaction.signatures[0])
        time = int(self._clock.now().timestamp())
        told: dict[str, Value] = {
            "slot": slot,
            "blockTime": time,
            "version": "legacy",
            "transaction": {
                "signatures": [str(each) for each in transaction.signatures],
                "message": {
                    "accountKeys": [str(key) for key in keys],
                    "header": {
                        "numRequiredSignatures": message.header.num_required_signatures,
                        "numReadonlySignedAccounts": message.header.num_readonly_signed_accounts,
                        "numReadonlyUnsignedAccounts": message.header.num_readonly_unsigned_accounts,
                    },
                    "recentBlockhash": str(blockhash),
                    "instructions": [],
                },
            },
            "meta": {
                "err": {"InstructionError": [0, {"Custom": 1}]} if failed else None,
                "fee": FEE * len(pending.signers),
                "preBalances": [each.lamports if each else 0 for each in before],
                "postBalances": [each.lamports if each else 0 for each in after],
                "preTokenBalances": _token_balances(before),
                "postTokenBalances": _token_balances(after),
                "innerInstructions": [],
                "loadedAddresses": {"writable": [], "readonly": []},
                "status": {"Ok": None},
            },
        }
        named = tuple(str(key) for key in keys)
        self.done.append(Done(signature=signature, slot=slot, time=time, keys=named, told=told))

    def _close(self, slot: int) -> None:
        self.svm.expire_blockhash()
        time = int(self._clock.now().timestamp())
        self.blocks.append(Block(slot=slot, hash=str(self.svm.latest_blockhash()), time=time))


def _at(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=False, is_writable=True)


def _token_balances(accounts: Sequence[Account | None]) -> list[dict[str, Value]]:
    return [
        {
            "accountIndex": place,
            "mint": base58.b58encode(each.data[:32]).decode(),
            "owner": base58.b58encode(each.data[32:64]).decode(),
            "programId": str(each.owner),
            "uiTokenAmount": {"amount": str(int.from_bytes(each.data[64:72], "little")), "decimals": DECIMALS},
        }
        for place, each in enumerate(accounts)
        if each is not None and each.owner in (TOKEN, TOKEN_2022) and len(each.data) >= 165
    ]
