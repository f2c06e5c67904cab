"""Freezing, unfreezing and delegating on the tiny Tron. Stake 2.0 unless it says Stake 1.0; amounts are sun."""

from tests.tron_chain import TronChain
from tests.tron_state import Account, Resource, Stakes, State, Unfreezing

UNFREEZE_MS = 14 * 86_400_000


def freeze(chain: TronChain, owner: str, sun: int, *, resource: Resource = Resource.ENERGY) -> str:
    def effect(state: State) -> dict[str, int]:
        state.take(owner, sun)
        _add(state.accounts[owner].second.own, resource, sun)
        return {}

    return chain.stake("FreezeBalanceV2Contract", owner, _value(resource, frozen_balance=sun), effect)


def unfreeze(chain: TronChain, owner: str, sun: int, *, resource: Resource = Resource.ENERGY) -> str:
    """Starts the fourteen days; what is through with them comes back at once."""

    def effect(state: State) -> dict[str, int]:
        account = state.accounts[owner]
        back = _take_expired(account, now_ms=state.time_ms)
        _add(account.second.own, resource, -sun)
        account.unfreezing.append(Unfreezing(resource=resource, amount=sun, until_ms=state.time_ms + UNFREEZE_MS))
        return {"withdraw_expire_amount": back} if back else {}

    return chain.stake("UnfreezeBalanceV2Contract", owner, _value(resource, unfreeze_balance=sun), effect)


def withdraw_unfrozen(chain: TronChain, owner: str) -> str:
    def effect(state: State) -> dict[str, int]:
        return {"withdraw_expire_amount": _take_expired(state.accounts[owner], now_ms=state.time_ms)}

    return chain.stake("WithdrawExpireUnfreezeContract", owner, {}, effect)


def delegate(chain: TronChain, owner: str, receiver: str, sun: int, *, resource: Resource = Resource.ENERGY) -> str:
    """Lend the resource of staked TRX. The TRX stays the owner's and leaves its `frozenV2`."""

    def effect(state: State) -> dict[str, int]:
        _add(state.accounts[owner].second.own, resource, -sun)
        _lend(state.accounts[owner].second, state.accounts[receiver].second, resource, sun)
        return {}

    value = {**_value(resource, balance=sun), "receiver_address": receiver}
    return chain.stake("DelegateResourceContract", owner, value, effect)


def undelegate(chain: TronChain, owner: str, receiver: str, sun: int, *, resource: Resource = Resource.ENERGY) -> str:
    def effect(state: State) -> dict[str, int]:
        _add(state.accounts[owner].second.own, resource, sun)
        _lend(state.accounts[owner].second, state.accounts[receiver].second, resource, -sun)
        return {}

    value = {**_value(resource, balance=sun), "receiver_address": receiver}
    return chain.stake("UnDelegateResourceContract", owner, value, effect)


def freeze_first(
    chain: TronChain, owner: str, sun: int, *, resource: Resource = Resource.ENERGY, receiver: str | None = None
) -> str:
    """Stake 1.0: freezes for oneself, or for `receiver`."""

    def effect(state: State) -> dict[str, int]:
        state.take(owner, sun)
        match receiver:
            case None:
                _add(state.accounts[owner].first.own, resource, sun)
            case other:
                _lend(state.accounts[owner].first, state.accounts[other].first, resource, sun)
        return {}

    value = {**_value(resource, frozen_balance=sun), "frozen_duration": 3, **_receiver(receiver)}
    return chain.stake("FreezeBalanceContract", owner, value, effect)


def unfreeze_first(
    chain: TronChain, owner: str, *, resource: Resource = Resource.ENERGY, receiver: str | None = None
) -> str:
    """Stake 1.0: all that was frozen for oneself, or for `receiver`, comes back at once."""

    def effect(state: State) -> dict[str, int]:
        stakes = state.accounts[owner].first
        match receiver:
            case None:
                back = stakes.own.pop(resource)
            case other:
                back = stakes.delegated[resource]
                _lend(stakes, state.accounts[other].first, resource, -back)
        state.give(owner, back)
        return {"unfreeze_amount": back}

    return chain.stake("UnfreezeBalanceContract", owner, {**_value(resource), **_receiver(receiver)}, effect)


def _value(resource: Resource, **amounts: int) -> dict[str, object]:
    """BANDWIDTH is the first of its enum, and what is first is left out."""
    return {**({} if resource is Resource.BANDWIDTH else {"resource": resource.value}), **amounts}


def _receiver(receiver: str | None) -> dict[str, object]:
    return {} if receiver is None else {"receiver_address": receiver}


def _add(amounts: dict[Resource, int], resource: Resource, sun: int) -> None:
    """Raises ValueError where less would be left than nothing."""
    left = amounts.get(resource, 0) + sun
    if left < 0:
        raise ValueError(f"{amounts.get(resource, 0)} sun staked for {resource.value}, not {-sun}")
    amounts[resource] = left


def _lend(owner: Stakes, receiver: Stakes, resource: Resource, sun: int) -> None:
    _add(owner.delegated, resource, sun)
    _add(receiver.acquired, resource, sun)


def _take_expired(account: Account, *, now_ms: int) -> int:
    back = sum(one.amount for one in account.unfreezing if one.until_ms <= now_ms)
    account.unfreezing = [one for one in account.unfreezing if one.until_ms > now_ms]
    account.balance += back
    return back
