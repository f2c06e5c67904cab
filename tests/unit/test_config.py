import json
import re
import textwrap
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from eth_hash.auto import keccak

from monitor.config import (
    Config,
    Loaded,
    judging,
    judging_sha256,
    load,
    reference,
    schema,
    secrets_of,
)
from monitor.config.chains import PriceSource
from monitor.config.settings import sections
from monitor.config.values import duration_text
from monitor.exchange_probes import x_cost_of
from monitor.ledgers import COINS
from monitor.model import OTHER_NETWORKS, Judging, Role, WatchedRail
from monitor.probes import EXCHANGES
from monitor.probes.prices import PRICE_SOURCES
from monitor.reserves.formats import written as account

ROOT = Path(__file__).parents[2]
KNOWN = ("kraken", "kucoin", "gate", "htx", "bitget", "binance", "okx", "bybit")
KEY_TEXT = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5"


def written(folder: Path, text: str) -> Path:
    path = folder / "cexwatch.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def loaded(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Loaded:
    return load(written(folder, text), environ or {}, known_exchanges=KNOWN)


def test_the_smallest_file_watches_one_exchange_with_every_default(tmp_path: Path) -> None:
    config = loaded(tmp_path, "exchanges: {kraken: {}}").config
    assert config.role is Role.OBSERVER
    assert str(config.listen) == "127.0.0.1:9877"
    assert config.database == "sqlite+aiosqlite:///data/cexwatch.db"
    assert config.socket == Path("data/cexwatch.sock")
    assert config.rails("kraken")[:4] == (
        WatchedRail(asset="BTC", network="bitcoin"),
        WatchedRail(asset="ETH", network="ethereum"),
        WatchedRail(asset="USDT", network="ethereum"),
        WatchedRail(asset="USDT", network="tron"),
    )
    assert config.control.interval == timedelta(seconds=15)
    assert config.retention.observations == timedelta(days=60)
    assert config.drafts.templates is None


def test_the_default_watch_is_what_a_journal_without_configuration_is_judged_by(tmp_path: Path) -> None:
    rails = loaded(tmp_path, "exchanges: {kraken: {}}").config.rails("kraken")
    assert {f"{rail.asset}-{rail.network}" for rail in rails} == {
        "BTC-bitcoin",
        "ETH-ethereum",
        "USDT-ethereum",
        "USDT-tron",
        "USDC-ethereum",
        "SOL-solana",
        "XRP-xrp",
        "TRX-tron",
        "BNB-bsc",
    }


def test_the_shipped_file_needs_no_key(tmp_path: Path) -> None:
    (tmp_path / "reserves").mkdir()
    shipped = (ROOT / "config/cexwatch.yaml").read_text(encoding="utf-8")
    found = load(written(tmp_path, shipped), {}, known_exchanges=EXCHANGES)
    assert set(found.config.exchanges) == set(EXCHANGES)
    assert found.warnings == ()
    assert found.config.role is Role.OBSERVER
    assert len(shipped.splitlines()) < 160
    for network, chain in found.config.chains.items():
        operators = {".".join(url.split("/")[2].split(".")[-2:]) for url in chain.endpoints}
        assert len(operators) >= 2, network
        for asset, token in chain.tokens.items():
            spelled = checksummed(token.contract) if chain.chain_id else account(network, token.contract)
            assert token.contract == spelled, (network, asset)


def checksummed(address: str) -> str:
    """EIP-55: a hex letter is a capital where the digit of the hash over the small letters is 8 or more."""
    digits = address.removeprefix("0x").lower()
    capital = (int(digit, 16) >= 8 for digit in keccak(digits.encode()).hex())
    return "0x" + "".join(
        digit.upper() if is_capital else digit for digit, is_capital in zip(digits, capital, strict=False)
    )


def test_words_that_old_yaml_took_for_booleans_are_words(tmp_path: Path) -> None:
    text = """\
        watch: {NO: [no, on], ON: [yes], 1INCH: [010]}
        exchanges: {kraken: }
        """
    assert [(rail.asset, rail.network) for rail in loaded(tmp_path, text).config.rails("kraken")] == [
        ("NO", "no"),
        ("NO", "on"),
        ("ON", "yes"),
        ("1INCH", "010"),
    ]


def test_a_contract_needs_no_quotes(tmp_path: Path) -> None:
    contract = "0xdAC17F958D2ee523a2206206994597C13D831ec7"
    chains = (
        f"ethereum: {{chain_id: 1, endpoints: [http://x], tokens: {{USDT: {{contract: {contract}, decimals: 6}}}}}}"
    )
    config = loaded(tmp_path, f"exchanges: {{kraken: }}\nchains: {{{chains}}}").config
    assert config.chains["ethereum"].tokens["USDT"].contract == contract


def test_a_few_aliases_save_writing(tmp_path: Path) -> None:
    text = """\
        exchanges:
          kraken: {watch: &few {BTC: [bitcoin]}}
          okx: {watch: *few}
        """
    config = loaded(tmp_path, text).config
    assert config.rails("okx") == config.rails("kraken") == (WatchedRail(asset="BTC", network="bitcoin"),)


@pytest.mark.parametrize(
    ("written_as", "opened_as", "socket"),
    [
        pytest.param("sqlite:///a/b.db", "sqlite+aiosqlite:///a/b.db", "a/cexwatch.sock", id="relative file"),
        pytest.param("sqlite:////var/b.db", "sqlite+aiosqlite:////var/b.db", "/var/cexwatch.sock", id="absolute file"),
        pytest.param("sqlite:///b.db?x=1", "sqlite+aiosqlite:///b.db?x=1", "cexwatch.sock", id="file with options"),
        pytest.param("sqlite+aiosqlite:///b.db", "sqlite+aiosqlite:///b.db", "cexwatch.sock", id="driver named"),
        pytest.param("postgresql://u@h/d", "postgresql+asyncpg://u@h/d", "data/cexwatch.sock", id="server"),
        pytest.param("postgres://u@h:5432/d", "postgresql+asyncpg://u@h:5432/d", "data/cexwatch.sock", id="old name"),
    ],
)
def test_a_database_is_opened_by_its_asynchronous_driver(
    tmp_path: Path, written_as: str, opened_as: str, socket: str
) -> None:
    config = loaded(tmp_path, f"database: {written_as}\nexchanges: {{kraken: }}").config
    assert config.database == opened_as
    assert config.socket == Path(socket)


def test_secrets_come_from_files_and_variables_and_show_nowhere(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("the-key\n")
    key.chmod(0o600)
    text = "exchanges: {binance: {api_key_file: key, api_secret_env: BINANCE_SECRET}}"
    found = loaded(tmp_path, text, {"BINANCE_SECRET": KEY_TEXT})
    settings = found.config.exchanges["binance"]
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "the-key"
    assert settings.api_secret is not None
    assert settings.api_secret.get_secret_value() == KEY_TEXT
    assert found.warnings == ()
    for shown in (repr(found), str(found.config), found.config.model_dump_json()):
        assert KEY_TEXT not in shown
        assert "the-key" not in shown


def test_a_secret_that_everybody_can_read_is_a_warning(tmp_path: Path) -> None:
    for name, mode in (("open", 0o644), ("group", 0o640)):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(mode)
    found = loaded(tmp_path, "exchanges:\n  okx:\n    api_key_file: open\n    api_secret_file: group\n")
    assert [str(warning).rpartition("/")[2] for warning in found.warnings] == [
        "cexwatch.yaml:3 exchanges.okx.api_key_file: everybody on this machine can read the file; chmod 600 it"
    ]


def test_the_operators_file_leads_with_the_queue(tmp_path: Path) -> None:
    (tmp_path / "reserves").mkdir()
    shipped = (ROOT / "config/operator.yaml").read_text(encoding="utf-8")
    found = loaded(tmp_path, shipped)
    assert found.warnings == ()
    assert found.config.role is Role.OPERATOR
    settings = found.config.exchanges[found.config.speaks_for]
    assert settings.queue is not None
    assert settings.queue.prometheus is not None
    assert shipped.index("queue:") < shipped.index("listen:")

    everything = re.sub(r"(?m)^( +)# ((  )?[a-z_]+:)(?! as )", r"\1\2", shipped)
    (tmp_path / "token").write_text("S3CR3T-1")
    (tmp_path / "token").chmod(0o600)
    everything = everything.replace("/run/secrets/prometheus_token", "token")
    names = (
        "QUEUE_TOKEN", "PUSH_SECRET", "EXCHANGE_KEY", "EXCHANGE_SECRET", "X_CONSUMER_KEY", "X_CONSUMER_SECRET",
        "X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET", "STATUSPAGE_KEY", "WEBHOOK_SECRET",
    )  # fmt: skip
    found = loaded(tmp_path, everything, {name: f"1234567890-S3CR3T-of-{name}" for name in names})
    queue = found.config.exchanges["kraken"].queue
    assert queue is not None
    assert None not in (queue.prometheus, queue.http_json, queue.push)
    assert secrets_of(found.config) == ["S3CR3T-1", *(f"1234567890-S3CR3T-of-{name}" for name in names)]
    assert [str(warning).partition(" ")[2] for warning in found.warnings] == [
        "exchanges.kraken.x_accounts: not read: reading X costs money and needs an `x` section"
    ]


def test_every_secret_is_found_and_shows_nowhere(tmp_path: Path) -> None:
    (tmp_path / "pem").write_text("-----BEGIN EC PRIVATE KEY-----\nS3CR3T\n-----END EC PRIVATE KEY-----\n")
    (tmp_path / "pem").chmod(0o600)
    text = """\
        x: {bearer_token_env: A}
        exchanges:
          okx:
            api_key_env: B
            api_secret_file: pem
            api_passphrase_env: C
            queue:
              prometheus: {url: http://a, requested: a, broadcast: a, pending: a, token_env: D}
              http_json: {url: http://a, token_env: E}
              push: {secret_env: F}
          kraken:
            mentions: {http_json: {url: "http://a", query: a, token_env: G}}
        """
    environ = {name: f"S3CR3T-of-nobody-{name}" for name in "ABCDEFG"}
    path = written(tmp_path, text)
    found = load(path, environ, known_exchanges=KNOWN, passphrases=["okx"])
    secrets = secrets_of(found.config)
    assert sorted(secrets) == sorted([*environ.values(), (tmp_path / "pem").read_text().strip()])
    assert found.warnings == ()
    for shown in (repr(found), str(found.config), found.config.model_dump_json(), found.sha256):
        assert "S3CR3T" not in shown
    assert secrets_of(loaded(tmp_path, "exchanges: {kraken: }").config) == []


def test_what_ccxt_cannot_check_and_what_exchanges_share_is_a_warning(tmp_path: Path) -> None:
    text = """\
        exchanges:
          bitmart: {ccxt: bitmart, api_key_env: KEY, api_secret_env: KEY}
          binance: {url: "https://proxy.example/binance"}
          okx: {url: "https://proxy.example:443/okx"}
          kraken: {url: "https://proxy.example:8443"}
          others: {ccxt: whitebit, url: "https://proxy.example"}
        """
    assert [str(warning).partition(":")[2] for warning in loaded(tmp_path, text, {"KEY": "k"}).warnings] == [
        "2 exchanges.bitmart: ccxt cannot tell what the key may do: see to it that it can only read",
        "4 exchanges.okx.url: is at the host of binance: they share its budget and its bans",
    ]


def test_what_is_without_effect_or_weak_is_a_warning(tmp_path: Path) -> None:
    text = """\
        exchanges:
          kraken:
            x_accounts: [krakensupport]
            account_frozen_until: 2026-02-03T14:00:00Z
            queue: {push: {secret_env: SECRET}}
            mentions:
              x: kraken withdrawal
              http_json: {url: "https://counts.example", query: kraken, interval: 1m}
        """
    assert [str(warning).partition(":")[2] for warning in loaded(tmp_path, text, {"SECRET": "hunter2"}).warnings] == [
        "3 exchanges.kraken.x_accounts: not read: reading X costs money and needs an `x` section",
        "7 exchanges.kraken.mentions.x: not read: reading X costs money and needs an `x` section",
        "8 exchanges.kraken.mentions.http_json.interval: shorter than `window`: what overlaps does not count",
        "4 exchanges.kraken.account_frozen_until: without effect: withdrawal_history is not read",
        (
            "5 exchanges.kraken.queue.push: a secret of less than 16 characters can be guessed: "
            "`openssl rand -hex 32` makes a good one"
        ),
    ]


@pytest.mark.parametrize(
    ("exchanges", "told"),
    [
        pytest.param("{kraken: {mentions: {x: kraken}}, okx: {mentions: {x: okx}}}", "$2.88", id="two queries"),
        pytest.param("{kraken: {mentions: {x: kraken}, x_accounts: [krakensupport]}}", "$1.55", id="with an account"),
        pytest.param(
            "{kraken: {mentions: {http_json: {url: 'https://a.example', query: a}}}}", "", id="counted elsewhere"
        ),
    ],
)
def test_what_reading_x_costs_is_told(tmp_path: Path, exchanges: str, told: str) -> None:
    text = f"""\
        x: {{bearer_token_env: A}}
        exchanges: {exchanges}
        """
    cost = x_cost_of(loaded(tmp_path, text, {"A": "S3CR3T"}).config)
    assert str(cost).startswith(f"about {told} a day, at most ") if told else cost is None


def test_ccxt_knows_exchanges_that_we_do_not(tmp_path: Path) -> None:
    config = loaded(tmp_path, "exchanges: {bitmart: {ccxt: bitmart}, kraken: }").config
    assert config.exchanges["bitmart"].ccxt == "bitmart"


def test_the_digest_follows_the_configuration_and_not_its_secrets(tmp_path: Path) -> None:
    def digest(text: str, key: str = "a") -> str:
        return loaded(tmp_path, text, {"KEY": key, "SECRET": key}).sha256

    keyed = "exchanges: {okx: {api_key_env: KEY, api_secret_env: SECRET}}"
    assert digest(keyed, "a") == digest(keyed, "b")
    assert digest("exchanges: {okx: }") != digest(keyed)
    assert digest("exchanges: {okx: }") == digest("# a comment\nexchanges:\n  okx: {}\nrole: observer\n")
    assert digest("exchanges: {okx: }") != digest("exchanges: {okx: {interval: 10s}}")


def test_people_s_folders_are_beside_the_file_and_the_daemon_s_where_it_works(tmp_path: Path) -> None:
    for name in ("books", "texts"):
        (tmp_path / name).mkdir()
    text = "exchanges: {kraken: }\nreserves: books\ndrafts: {templates: texts}\nchannels: {file: {folder: out}}\n"
    config = loaded(tmp_path, text).config
    assert config.reserves == tmp_path / "books"
    assert config.drafts.templates == tmp_path / "texts"
    assert config.channels.file is not None
    assert config.channels.file.folder == Path("out")


def test_empty_text_stands_for_the_default(tmp_path: Path) -> None:
    text = 'exchanges: {kraken: }\nsocket: ""\nexternal_url: ""\nspeaks_for: ""\ndrafts: {templates: ""}\n'
    assert loaded(tmp_path, text).config == loaded(tmp_path, "exchanges: {kraken: }").config


@pytest.mark.parametrize(
    ("text", "seconds", "spelled"),
    [
        pytest.param("1s", 1, "1s", id="a second"),
        pytest.param("90s", 90, "90s", id="a minute and a half"),
        pytest.param("120s", 120, "2m", id="two minutes in seconds"),
        pytest.param("12h", 43200, "12h", id="hours"),
        pytest.param("60d", 5184000, "60d", id="days"),
    ],
)
def test_durations(tmp_path: Path, text: str, seconds: int, spelled: str) -> None:
    interval = loaded(tmp_path, f"exchanges: {{kraken: {{interval: {text}}}}}").config.exchanges["kraken"].interval
    assert interval == timedelta(seconds=seconds)
    assert duration_text(interval) == spelled


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        pytest.param("127.0.0.1:9877", "127.0.0.1", 9877, id="loopback"),
        pytest.param("'[::1]:80'", "::1", 80, id="IPv6"),
        pytest.param("localhost:0", "localhost", 0, id="any port"),
    ],
)
def test_listen(tmp_path: Path, text: str, host: str, port: int) -> None:
    listen = loaded(tmp_path, f"listen: {text}\nexchanges: {{kraken: }}").config.listen
    assert (listen.host, listen.port) == (host, port)
    assert str(listen) == text.strip("'")


def test_addresses_end_without_a_slash(tmp_path: Path) -> None:
    text = "external_url: https://watch.example/\nexchanges: {kraken: {url: http://127.0.0.1:8080/, status_page: ''}}"
    config = loaded(tmp_path, text).config
    assert config.external_url == "https://watch.example"
    assert config.exchanges["kraken"].status_page == ""
    assert config.exchanges["kraken"].url == "http://127.0.0.1:8080"


def judged(config: Config) -> Judging:
    return judging(
        config,
        titles={"kraken": "Kraken", "okx": "OKX", "gate": "Gate"},
        templates={"observer/investigating": "We observe {{ scope }}"},
        needs_key={"okx": "needs a key", "binance": "needs a key", "kraken": ""},
        intervals={"kraken-assets": 30.0},
        own_tokens={"okx": ("OKB",), "gate": ("GT",), "kraken": ()},
    )


def test_engines_judge_by_the_effective_settings(tmp_path: Path) -> None:
    text = """\
        role: operator
        speaks_for: kraken
        watch: {BTC: [bitcoin]}
        exchanges:
          kraken: {watch: {ETH: [ethereum, base]}}
          okx:
        drafts: {expiry: 5m, next_update: 1h}
        budget: {pages_per_month: 0.5}
        exits: {stuck_usd: 25000}
        """
    assert judged(loaded(tmp_path, text).config) == Judging(
        role=Role.OPERATOR,
        speaks_for="kraken",
        watched={
            "kraken": (WatchedRail(asset="ETH", network="ethereum"), WatchedRail(asset="ETH", network="base")),
            "okx": (WatchedRail(asset="BTC", network="bitcoin"),),
        },
        intervals={"kraken-assets": 30.0},
        titles={"kraken": "Kraken", "okx": "OKX"},
        needs_key={"okx": "needs a key"},
        channels=("file",),
        templates={"observer/investigating": "We observe {{ scope }}"},
        pages_per_month=0.5,
        draft_expiry_seconds=300.0,
        next_update_seconds=3600.0,
        own_tokens={"okx": ("OKB",)},
        stuck_usd=25_000.0,
    )


def test_an_exchange_with_a_key_is_not_said_to_need_one(tmp_path: Path) -> None:
    text = "exchanges: {okx: {api_key_env: KEY, api_secret_env: KEY}}"
    judged_by = judged(loaded(tmp_path, text, {"KEY": KEY_TEXT}).config)
    assert judged_by.needs_key == {}
    assert KEY_TEXT.encode() not in msgspec.json.encode(judged_by)


def test_the_judging_digest_does_not_depend_on_the_order_of_keys() -> None:
    first = Judging(intervals={"a": 1.0, "b": 2.0}, needs_key={"x": "1", "y": "2"})
    second = Judging(intervals={"b": 2.0, "a": 1.0}, needs_key={"y": "2", "x": "1"})
    assert judging_sha256(first) == judging_sha256(second)
    assert judging_sha256(first) != judging_sha256(Judging(intervals={"a": 1.0}))
    assert judging_sha256(msgspec.json.decode(msgspec.json.encode(first), type=Judging)) == judging_sha256(first)


def test_the_shipped_schema_is_the_models() -> None:
    shipped = (ROOT / "config/cexwatch.schema.json").read_text(encoding="utf-8")
    assert shipped == json.dumps(schema(), indent=2) + "\n", "write `cexwatch config schema` to it"


def test_the_schema_shows_no_key_that_a_person_may_not_write() -> None:
    settings = json.dumps(schema())
    assert "api_key_file" in settings
    assert "bearer_token_env" in settings
    assert not any(
        f'"{secret}"' in settings for secret in ("api_key", "api_passphrase", "token", "secret", "bearer_token")
    )


def test_the_reference_page_is_the_models() -> None:
    assert (ROOT / "docs/configuration.md").read_text(encoding="utf-8") == reference(), "write `reference()` to it"


def test_the_reference_page_names_every_key() -> None:
    page = reference()
    for way, section in sections():
        assert f"## `{'.'.join(way)}`\n" in page if way else "## The file\n" in page
        assert all(f"| `{key}` |" in page for key, field in section.model_fields.items() if field.description)
    assert "## `exchanges.<name>.queue.prometheus`" in page


def test_the_reference_page_tells_of_every_secret() -> None:
    introduction = reference().partition("## The file")[0]
    secrets = {
        name for _, section in sections() for name in section.model_fields if f"{name}_env" in section.model_fields
    }
    assert all(f"`{secret}`" in introduction for secret in secrets)


def test_an_exchange_of_which_only_addresses_are_known_can_be_watched(tmp_path: Path) -> None:
    (tmp_path / "reserves").mkdir()
    (tmp_path / "reserves" / "mtgox.yaml").write_text("exchange: mtgox\nlists: []\n")
    found = loaded(tmp_path, "exchanges: {mtgox: }")
    assert list(found.config.exchanges) == ["mtgox"]
    assert [str(warning).partition(" ")[2] for warning in found.warnings] == [
        "exchanges.mtgox: nothing is read of it: only its addresses are known, and no chain is read"
    ]
    chain = "chains: {bitcoin: {endpoints: [https://esplora.example/api]}}"
    assert loaded(tmp_path, f"exchanges: {{mtgox: }}\n{chain}").warnings == ()
    assert loaded(tmp_path, "exchanges: {mtgox: {announcements: https://mtgox.example/rss}}").warnings == ()


def test_a_node_of_ones_own_is_allowed_where_it_says_so(tmp_path: Path) -> None:
    node = "{endpoints: [core+http://127.0.0.1:8332], rpc_user: us, rpc_password_env: A, allow_private: true}"
    config = loaded(tmp_path, f"exchanges: {{kraken: }}\nchains: {{bitcoin: {node}}}", {"A": "x"}).config
    assert config.chains["bitcoin"].endpoints == ("core+http://127.0.0.1:8332",)


def test_every_source_of_prices_that_can_be_named_is_one() -> None:
    assert [source.value for source in PriceSource] == list(PRICE_SOURCES)


def test_every_network_that_is_no_evm_chain_is_read() -> None:
    assert COINS.keys() >= set(OTHER_NETWORKS)


def test_a_key_in_the_url_of_a_node_is_a_secret_and_so_is_a_password_as_it_goes_out(tmp_path: Path) -> None:
    text = """\
        exchanges: {kraken: }
        chains:
          ethereum:
            chain_id: 1
            endpoints:
              - https://mainnet.infura.io/v3/0123456789abcdef0123456789abcdef
              - https://lb.drpc.org/ogrpc?network=ethereum&dkey=Ak-765_43210fedcba98
              - https://ethereum-rpc.publicnode.com/ext/bc/C/rpc
          bitcoin: {endpoints: ["core+http://node.example:8332"], rpc_user: us, rpc_password_env: A}
        """
    found = loaded(tmp_path, text, {"A": "S3CR3T"})
    in_base64 = "dXM6UzNDUjNU"
    assert secrets_of(found.config) == [
        "S3CR3T",
        "0123456789abcdef0123456789abcdef",
        "Ak-765_43210fedcba98",
        in_base64,
    ]
