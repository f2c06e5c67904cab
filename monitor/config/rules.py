"""What one setting asks of another, with the line of the one that has to change."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from monitor.config.chain_rules import chain_problems
from monitor.config.channel_rules import channel_problems, missing_secrets
from monitor.config.notify_rules import notify_problems
from monitor.config.settings import Config, ExchangeSettings
from monitor.config.yaml_file import ConfigFile, ConfigProblem, Document, Where, quoted, suggestion
from monitor.model import RailVerdict, Role

_SHORTEST_PUSH_SECRET = 16
_PORTS = {"http": 80, "https": 443}

# What metrics make of a configuration, on the high side. Either direction of a rail has a series for each verdict and
# one for its last change; an exchange has its states, counts by state, scores and a few series for each of its probes.
_SERIES_A_RAIL = 2 * (len(RailVerdict) + 1)
_SERIES_AN_EXCHANGE = 200
_SERIES_AN_EXCHANGE_ON_A_CHAIN = 12
_SERIES_OF_THE_DAEMON = 500


def file_problems(
    file: ConfigFile, *, folder: Path, known: Collection[str], passphrases: Collection[str]
) -> Iterator[ConfigProblem]:
    """What is wrong with the file as it is written. `passphrases`: the exchanges whose keys have one."""
    listed = _listed(file, folder)
    for name, body in _exchanges(file).items():
        yield from _name_problems(file, name, body, known=known, listed=listed)
        match body:
            case dict():
                dialect = body.get("api") or name
                yield from _key_problems(file, ("exchanges", name), body, has_passphrase=dialect in passphrases)
                yield from _queue_problems(file, ("exchanges", name), body)
                yield from _ccxt_key_problems(file, name, body, known)
                yield from _mentions_problems(file, ("exchanges", name), body)
            case _:
                pass
    yield from _x_problems(file)
    yield from missing_secrets(file)
    yield from _voice_problems(file)
    yield from _folder_problems(file, folder)


def config_problems(file: ConfigFile, config: Config, *, mute: Collection[str]) -> Iterator[ConfigProblem]:
    """What is wrong with values that are each right. `mute`: the exchanges of which no key tells what is held."""
    for name, settings in config.exchanges.items():
        if settings.withdrawal_history and not _has_key(settings):
            yield file.problem(
                ("exchanges", name, "withdrawal_history"),
                "needs a read-only key of that account: name its files in api_key_file and api_secret_file, or its "
                "variables in api_key_env and api_secret_env",
            )
        if settings.exposure_of_key and not _has_key(settings):
            yield file.problem(
                ("exchanges", name, "exposure_of_key"),
                "needs a read-only key of that account: name its files in api_key_file and api_secret_file, or its "
                "variables in api_key_env and api_secret_env",
            )
        if settings.exposure_of_key and (settings.ccxt is not None or (settings.api or name) in mute):
            yield file.problem(
                ("exchanges", name, "exposure_of_key"), "no key of it tells what is held: write it as `exposure` here"
            )
    for place, planned in enumerate(config.maintenance):
        if planned.exchange not in config.exchanges:
            why = f"not one of the exchanges here{suggestion(planned.exchange, config.exchanges)}"
            yield file.problem(("maintenance", place, "exchange"), why)
    for network, chain in config.chains.items():
        yield from chain_problems(file, network, chain)
    yield from notify_problems(file, config)
    yield from _push_problems(file, config)
    yield from channel_problems(file, config.channels)
    yield from _series_problems(file, config)


def config_warnings(file: ConfigFile, config: Config, *, known: Collection[str]) -> Iterator[ConfigProblem]:
    """What is without effect, or weak."""
    for name, settings in config.exchanges.items():
        where: Where = ("exchanges", name)
        if name not in known and not config.chains and not _speaks(settings):
            yield file.problem(where, "nothing is read of it: only its addresses are known, and no chain is read")
        if settings.x_accounts and config.x is None:
            yield file.problem((*where, "x_accounts"), "not read: reading X costs money and needs an `x` section")
        yield from _mentions_warnings(file, (*where, "mentions"), settings, is_x_read=config.x is not None)
        if settings.account_frozen_until is not None and not settings.withdrawal_history:
            yield file.problem((*where, "account_frozen_until"), "without effect: withdrawal_history is not read")
        if 0 < len(_push_secret(settings)) < _SHORTEST_PUSH_SECRET:
            yield file.problem(
                (*where, "queue", "push"),
                f"a secret of less than {_SHORTEST_PUSH_SECRET} characters can be guessed: `openssl rand -hex 32` "
                "makes a good one",
            )
        if settings.ccxt is not None and _has_key(settings):
            yield file.problem(where, "ccxt cannot tell what the key may do: see to it that it can only read")
    yield from _shared_hosts(file, config)


def _mentions_warnings(
    file: ConfigFile, where: Where, settings: ExchangeSettings, *, is_x_read: bool
) -> Iterator[ConfigProblem]:
    talk = settings.mentions
    if talk is None:
        return
    if talk.x is not None and not is_x_read:
        yield file.problem((*where, "x"), "not read: reading X costs money and needs an `x` section")
    if talk.http_json is not None and talk.http_json.interval < talk.http_json.window:
        yield file.problem((*where, "http_json", "interval"), "shorter than `window`: what overlaps does not count")


def _exchanges(file: ConfigFile) -> Mapping[str, Document]:
    match file.document.get("exchanges"):
        case dict() as exchanges:
            return exchanges
        case _:
            return {}


def _listed(file: ConfigFile, folder: Path) -> list[str]:
    """The exchanges that have an address book: their reserves can be watched, whatever else we know of them."""
    match file.document.get("reserves", "reserves"):
        case str(name) if _is_folder(folder / name):
            return sorted(page.stem for page in (folder / name).glob("*.yaml"))
        case _:
            return []


def _name_problems(
    file: ConfigFile, name: str, body: Document, *, known: Collection[str], listed: Collection[str]
) -> Iterator[ConfigProblem]:
    match body:
        case {"api": str(), "ccxt": str()}:
            yield file.problem(("exchanges", name, "ccxt"), "either api or ccxt, not both")
        case {"api": str(api)}:
            if api not in known:
                yield file.problem(("exchanges", name, "api"), f"unknown exchange{suggestion(api, known)}")
        case {"ccxt": str(ccxt)} if ccxt:
            pass
        case {"queue": dict()}:
            pass  # an operator's own, of which nobody else knows anything
        case _ if name not in known and name not in listed:
            yield file.problem(("exchanges", name), f"unknown exchange{_nearest(name, known, listed)}")
        case _:
            pass


def _nearest(name: str, known: Collection[str], listed: Collection[str]) -> str:
    """The nearest of all names, or those we know: address books are too many to name."""
    names = {*known, *listed}
    return suggestion(name, names if difflib.get_close_matches(name, names, n=1) else known)


def _key_problems(
    file: ConfigFile, where: Where, body: Mapping[str, Document], *, has_passphrase: bool
) -> Iterator[ConfigProblem]:
    pair = [part for part in ("api_key", "api_secret") if _is_named(part, body)]
    passphrase = _is_named("api_passphrase", body)
    if len(pair) == 1:
        yield file.problem(where, f"api_key and api_secret go together, and only {pair[0]} is here")
    if passphrase and not pair:
        yield file.problem(where, "api_passphrase is part of a key, and no api_key is here")
    if pair and has_passphrase and not passphrase:
        yield file.problem(
            where,
            "its keys have a passphrase: name its file in api_passphrase_file or its variable in api_passphrase_env",
        )


def _ccxt_key_problems(
    file: ConfigFile, name: str, body: Mapping[str, Document], known: Collection[str]
) -> Iterator[ConfigProblem]:
    match body:
        case {"ccxt": str(ccxt)} if _is_named("api_key", body) and (ccxt in known or name in known):
            native = ccxt if ccxt in known else name
            yield file.problem(
                ("exchanges", name, "ccxt"),
                f"ccxt cannot tell what a key may do: use {native} natively",
            )
        case _:
            pass


def _queue_problems(file: ConfigFile, where: Where, body: Mapping[str, Document]) -> Iterator[ConfigProblem]:
    if "queue" not in body:
        return
    match body["queue"]:
        case {"push": push} if not _is_named("secret", push):
            yield file.problem(
                (*where, "queue", "push"), "needs a secret: name its file in secret_file or its variable in secret_env"
            )
        case dict() as sources if any(source is not None for source in sources.values()):
            pass
        case None | dict():
            yield file.problem((*where, "queue"), "names no source: prometheus, http_json or push")
        case _:
            pass


def _mentions_problems(file: ConfigFile, where: Where, body: Mapping[str, Document]) -> Iterator[ConfigProblem]:
    match body:
        case {"mentions": dict() as sources} if any(source is not None for source in sources.values()):
            pass
        case {"mentions": None | dict()}:
            yield file.problem((*where, "mentions"), "names no source: x or http_json")
        case _:
            pass


def _x_problems(file: ConfigFile) -> Iterator[ConfigProblem]:
    match file.document:
        case {"x": x} if not _is_named("bearer_token", x):
            yield file.problem(
                ("x",), "needs a token: name its file in bearer_token_file or its variable in bearer_token_env"
            )
        case _:
            pass


def _is_named(secret: str, body: object) -> bool:
    match body:
        case dict():
            return any(key in body for key in (secret, f"{secret}_file", f"{secret}_env"))
        case _:
            return False


def _voice_problems(file: ConfigFile) -> Iterator[ConfigProblem]:
    exchanges = _exchanges(file)
    match file.document.get("role"), file.document.get("speaks_for"):
        case Role.OPERATOR, None | "":
            yield file.problem(("role",), "an operator needs speaks_for: the exchange that drafts speak as")
        case Role.OPERATOR, str(exchange) if exchange not in exchanges:
            yield file.problem(("speaks_for",), f"not one of the exchanges here{suggestion(exchange, exchanges)}")
        case None | Role.OBSERVER, str(exchange) if exchange:
            yield file.problem(("speaks_for",), "an observer speaks for nobody: remove it, or set role: operator")


def _folder_problems(file: ConfigFile, folder: Path) -> Iterator[ConfigProblem]:
    """Folders that are named must be there; the default one need not."""
    match file.document:
        case {"reserves": str(name)} if not _is_folder(folder / name):
            yield file.problem(("reserves",), f"no folder {quoted(name)}")
    match file.document:
        case {"drafts": {"templates": str(name)}} if name and not _is_folder(folder / name):
            yield file.problem(("drafts", "templates"), f"no folder {quoted(name)}")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name longer than the system allows
        return False


def _has_key(settings: ExchangeSettings) -> bool:
    return settings.api_key_file is not None or settings.api_key_env is not None


def _speaks(settings: ExchangeSettings) -> bool:
    """Whether anything but its addresses is read, of an exchange that we do not know."""
    return any(
        (
            settings.api,
            settings.ccxt,
            settings.queue,
            settings.status_page,
            settings.status_json,
            settings.announcements,
            settings.x_accounts,
            settings.mentions,
        )
    )


def _push_problems(file: ConfigFile, config: Config) -> Iterator[ConfigProblem]:
    """A push is signed for whoever knows the secret, so with a shared one it could be sent to the other exchange."""
    holders: dict[str, str] = {}
    for name, settings in config.exchanges.items():
        secret = _push_secret(settings)
        holder = holders.setdefault(secret, name)
        if secret and holder != name:
            yield file.problem(("exchanges", name, "queue", "push"), f"has the secret of {holder}: give each its own")


def _push_secret(settings: ExchangeSettings) -> str:
    queue = settings.queue
    if queue is None or queue.push is None or queue.push.secret is None:
        return ""
    return queue.push.secret.get_secret_value()


def _shared_hosts(file: ConfigFile, config: Config) -> Iterator[ConfigProblem]:
    """What one exchange behind a proxy of one's own says of too many requests is held against all behind it."""
    holders: dict[tuple[str | None, int], str] = {}
    for name, settings in config.exchanges.items():
        if settings.url is None or settings.ccxt is not None:  # ccxt's are told apart by name
            continue
        parts = urlsplit(settings.url)
        holder = holders.setdefault((parts.hostname, parts.port or _PORTS[parts.scheme]), name)
        if holder != name:
            yield file.problem(
                ("exchanges", name, "url"), f"is at the host of {holder}: they share its budget and its bans"
            )


def _series_problems(file: ConfigFile, config: Config) -> Iterator[ConfigProblem]:
    rails = sum(len(config.rails(exchange)) for exchange in config.exchanges)
    exchanges = len(config.exchanges)
    series = (
        _SERIES_OF_THE_DAEMON
        + rails * _SERIES_A_RAIL
        + exchanges * (_SERIES_AN_EXCHANGE + len(config.chains) * _SERIES_AN_EXCHANGE_ON_A_CHAIN)
    )
    if series > config.limits.max_series:
        yield file.problem(
            ("limits", "max_series"),
            f"{rails} watched rails at {exchanges} exchanges lead to about {series} metric series, more than "
            f"{config.limits.max_series}: watch fewer rails or raise it",
        )
