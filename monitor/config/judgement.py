"""What of a configuration the engines judge by, as it goes into the journal. No secret can get here."""

import hashlib
from collections.abc import Mapping

import msgspec

from monitor.config.settings import Config
from monitor.model import Judging


def judging(
    config: Config,
    *,
    titles: Mapping[str, str],
    templates: Mapping[str, str],
    needs_key: Mapping[str, str],
    intervals: Mapping[str, float],
    own_tokens: Mapping[str, tuple[str, ...]],
) -> Judging:
    """`titles`, `own_tokens`, `needs_key` by exchange, `templates` by name, `intervals` (s) by probe.

    Of `needs_key` ("what a person is told when flags need a key") those remain that have no key.
    """
    exchanges = config.exchanges
    return Judging(
        role=config.role,
        speaks_for=config.speaks_for,
        watched={exchange: config.rails(exchange) for exchange in exchanges},
        intervals=dict(intervals),
        titles={exchange: title for exchange, title in titles.items() if exchange in exchanges},
        needs_key={
            exchange: text
            for exchange, text in needs_key.items()
            if text and exchange in exchanges and exchanges[exchange].api_key is None
        },
        channels=config.channels.usual(),
        fallbacks=config.channels.fallbacks(),
        fallback_seconds=config.channels.patience(),
        templates=dict(templates),
        language=config.drafts.language,
        sentences=config.drafts.sentences,
        page=config.external_url,
        pages_per_month=config.budget.pages_per_month,
        draft_expiry_seconds=config.drafts.expiry.total_seconds(),
        next_update_seconds=config.drafts.next_update.total_seconds(),
        own_tokens={exchange: tokens for exchange, tokens in own_tokens.items() if tokens and exchange in exchanges},
        approvals_required=config.approval.required,
        stuck_usd=config.exits.stuck_usd,
    )


def judging_sha256(judged_by: Judging) -> str:
    """The same for equal values, whatever order they were given in."""
    return hashlib.sha256(msgspec.json.encode(judged_by, order="sorted")).hexdigest()
