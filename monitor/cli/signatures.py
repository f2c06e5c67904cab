"""Texts signed beforehand, in a terminal: the text is shown first, and only exactly that is signed."""

import asyncio
import sys
from datetime import timedelta

import msgspec

from monitor.cli.database import reading
from monitor.cli.ordering import order_of
from monitor.cli.outcome import Code, fail
from monitor.cli.screen import visible
from monitor.clock import Clock
from monitor.commands import Order
from monitor.config import Config
from monitor.model import PreApproval, Verb
from monitor.notices.draft import sha256
from monitor.notices.preapproval import lapsed
from monitor.web import phrases


def sign(config: Config, text: str, exchange: str, scope: dict[str, str], *, days: int, is_sure: bool, by: str) -> None:
    """Raises StoreError."""
    text = text.strip()
    name = exchange or config.speaks_for
    if not name:
        fail("--exchange: which one is it for?", code=Code.USAGE)
    print(visible(text))
    _ask(is_sure=is_sure)
    until = Clock().now() + timedelta(days=days)
    arguments = {"text": text, "expires": until.isoformat(), **scope}
    order = Order(verb=Verb.SIGN, exchange=name, arguments=arguments, text_sha256=sha256(text))
    order_of(config, order, by=by)


def countersign(config: Config, signed_id: str, *, is_sure: bool, by: str) -> None:
    """Raises StoreError."""
    found = show(config, signed_id)
    _ask(is_sure=is_sure)
    order_of(config, Order(verb=Verb.SIGN, subject=found.id, text_sha256=sha256(found.text)), by=by)


def ls(config: Config, *, as_json: bool) -> None:
    """Raises StoreError."""
    signed = asyncio.run(_signed(config))
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(signed), indent=2).decode())
        return
    if not signed:
        print("no text is signed")
    now = Clock().now()
    for each in signed:
        why = lapsed(each, now=now, required=config.approval.required)
        state = f"not in force: {why}" if why is not None else f"in force until {phrases.exact(each.expires_at)}"
        print(f"{each.id}  {each.exchange}, {', '.join(each.kinds)}, {', '.join(each.rails)}; {visible(state)}")
        print(f"  {visible(phrases.shortened(each.text, 110))}")


def show(config: Config, signed_id: str) -> PreApproval:
    """Raises StoreError."""
    found = next((each for each in asyncio.run(_signed(config)) if each.id == signed_id), None)
    if found is None:
        fail(f"there is no signed text {signed_id!r}, and no file of that name")
    print(f"{found.id} for {found.exchange}: {', '.join(found.kinds)} on {', '.join(found.rails)}")
    for each in found.signatures:
        print(f"signed by {visible(each.by)}, {each.role}, at {phrases.exact(each.at)}")
    print(f"until {phrases.exact(found.expires_at)}")
    if found.revoked_at is not None:
        print(f"revoked by {visible(found.revoked_by or '')} at {phrases.exact(found.revoked_at)}")
    print(visible(found.text))
    print(f"sha256 {found.text_sha256}")
    return found


def _ask(*, is_sure: bool) -> None:
    if is_sure:
        return
    if not sys.stdin.isatty():
        fail("nobody is here to ask: give --yes", code=Code.USAGE)
    if input("Sign exactly this text? [y/N] ").strip().lower() not in ("y", "yes"):
        fail("not signed")


async def _signed(config: Config) -> list[PreApproval]:
    async with reading(config) as desk:
        return await desk.store.preapprovals()
