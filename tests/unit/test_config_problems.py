"""What is printed for files that are wrong: all problems at once, with line and path, and never a secret."""

import re
import textwrap
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from monitor.config import ConfigError, load

KNOWN = ("kraken", "kucoin", "gate", "htx", "bitget", "binance", "okx", "bybit")


def problems(
    folder: Path, text: str, environ: Mapping[str, str] | None = None, *, passphrases: Collection[str] = ()
) -> list[str]:
    """What is printed, without the folder in front."""
    path = folder / "cexwatch.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {}, known_exchanges=KNOWN, passphrases=passphrases, mute=["gate"])
    return str(caught.value).replace(f"{folder}/", "").split("\n")


NO_ENDPOINT = (
    "expected a URL like https://example.org; bitcoin, litecoin and dogecoin also have electrums://host:50002 and "
    "core+http://host:8332"
)

BAD_FILES = [
    pytest.param(
        "exchanges: {kraken: {interval: soon}}",
        ["cexwatch.yaml:1 exchanges.kraken.interval: expected a duration like 30s, got 'soon'"],
        id="a duration that is none",
    ),
    pytest.param(
        "exchanges:\n  kraken:\n    interval: 30\n",
        ["cexwatch.yaml:3 exchanges.kraken.interval: expected a duration like 30s, got '30'"],
        id="a duration without a unit",
    ),
    pytest.param(
        "exchanges:\n  kraken:\n    interval: 4000d\n",
        ["cexwatch.yaml:3 exchanges.kraken.interval: expected at most 3650d, got '4000d'"],
        id="a duration longer than ten years",
    ),
    pytest.param("", ["cexwatch.yaml:1 exchanges: required"], id="an empty file"),
    pytest.param("# nothing yet\n", ["cexwatch.yaml:1 exchanges: required"], id="a file of comments"),
    pytest.param("exchanges: {}", ["cexwatch.yaml:1 exchanges: expected at least 1, got 0"], id="no exchange"),
    pytest.param(
        "- kraken", ["cexwatch.yaml:1: expected a mapping like 'key: value', got a list"], id="a list for a file"
    ),
    pytest.param(
        "exchanges: [kraken]",
        ["cexwatch.yaml:1 exchanges: expected a mapping like 'key: value', got a list"],
        id="a list of exchanges",
    ),
    pytest.param(
        "exchanges:\n  krakn:\n",
        ["cexwatch.yaml:2 exchanges.krakn: unknown exchange, did you mean 'kraken'?"],
        id="an exchange misspelled",
    ),
    pytest.param(
        "exchanges:\n  mtgox: {}\n",
        [
            (
                "cexwatch.yaml:2 exchanges.mtgox: unknown exchange; known here: "
                "binance, bitget, bybit, gate, htx, kraken, kucoin, okx"
            )
        ],
        id="an exchange nobody knows",
    ),
    pytest.param(
        "exchanges:\n  kraken:\n    intervall: 30s\n",
        ["cexwatch.yaml:3 exchanges.kraken.intervall: unknown key, did you mean 'interval'?"],
        id="a key misspelled",
    ),
    pytest.param(
        "exchanges: {kraken: }\nlog:\n  colour: red\n",
        ["cexwatch.yaml:3 log.colour: unknown key; known here: format, level"],
        id="a key nobody knows",
    ),
    pytest.param(
        "exchanges: {kraken: }\nchains:\n  base:\n    chain_id: 8453\n    endpoints: [http://x]\n"
        "    tokens: {USDC: {contract: 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913, decimal: 6}}\n",
        [
            "cexwatch.yaml:6 chains.base.tokens.USDC.decimal: unknown key, did you mean 'decimals'?",
            "cexwatch.yaml:6 chains.base.tokens.USDC.decimals: required",
        ],
        id="a key misspelled deep below names",
    ),
    pytest.param(
        "exchanges: {kraken: }\nchains:\n  bitcoim:\n    endpoints: [https://esplora.example/api]\n",
        [
            (
                "cexwatch.yaml:3 chains.bitcoim: an EVM chain needs its chain_id; without one we read bitcoin, "
                "litecoin, dogecoin, tron, solana, xrp, did you mean 'bitcoin'?"
            )
        ],
        id="a chain misspelled, or without its chain_id",
    ),
    pytest.param(
        "exchanges: {kraken: }\nchains:\n  tron:\n    chain_id: 1\n    endpoints: [electrum://x:1]\n"
        "    whole_blocks: true\n"
        "    tokens: {USDT: {contract: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', decimals: 6}}\n",
        [
            "cexwatch.yaml:4 chains.tron.chain_id: tron is no EVM chain: remove it",
            "cexwatch.yaml:5 chains.tron.endpoints[0]: expected a URL like https://example.org",
            "cexwatch.yaml:6 chains.tron.whole_blocks: a choice of EVM chains only: remove it",
            (
                "cexwatch.yaml:7 chains.tron.tokens.USDT.contract: this is no contract of tron: expected T and 33 "
                "letters and digits"
            ),
        ],
        id="a chain with what belongs to another",
    ),
    pytest.param(
        "exchanges: {kraken: }\nchains:\n  bitcoin:\n    endpoints: [electrums://x, core+ftp://y]\n"
        "    tokens: {USDT: {contract: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', decimals: 6}}\n",
        [
            "cexwatch.yaml:4 chains.bitcoin.endpoints[0]: expected electrums://host:port",
            f"cexwatch.yaml:4 chains.bitcoin.endpoints[1]: {NO_ENDPOINT}",
        ],
        id="nodes of the bitcoin family without a port, or at nothing we know",
    ),
    pytest.param(
        "exchanges: {kraken: }\nchains:\n  bitcoin:\n    endpoints: [core+http://node.example:8332]\n"
        "    tokens: {USDT: {contract: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', decimals: 6}}\n",
        ["cexwatch.yaml:5 chains.bitcoin.tokens.USDT: no tokens are read at bitcoin"],
        id="a token on a chain that has none",
    ),
    pytest.param(
        "exchanges: {kraken: }\nchains:\n  litecoin:\n    endpoints: ['ssl://x:50002', 'x:50002', 'x:50002:s']\n",
        [f"cexwatch.yaml:4 chains.litecoin.endpoints[{number}]: {NO_ENDPOINT}" for number in range(3)],
        id="Electrum servers as Electrum spells them",
    ),
    pytest.param(
        "exchanges: {kraken: }\nchains:\n  bitcoin:\n    endpoints: [core+http://node.example:8332]\n"
        "    rpc_user: us\n    rpc_password_env:\n",
        [
            (
                "cexwatch.yaml:5 chains.bitcoin.rpc_user: needs a password: name its file in rpc_password_file or its "
                "variable in rpc_password_env"
            )
        ],
        id="a user of a node without a password",
    ),
    pytest.param(
        "exchanges: {kraken: }\nchains:\n  bitcoin:\n    endpoints: [core+http://node.example:8332]\n"
        "    rpc_password_env: A\n",
        [
            "cexwatch.yaml:5 chains.bitcoin.rpc_password_env: the environment variable is not set or empty",
            "cexwatch.yaml:5 chains.bitcoin.rpc_password_env: needs the name that goes with it: rpc_user",
        ],
        id="a password of a node without a user",
    ),
    pytest.param(
        "exchanges: {kraken: }\nchains:\n  tron:\n    endpoints: [https://node.example]\n    rpc_user: us\n"
        "  bitcoin:\n    endpoints: [https://esplora.example]\n    api_key_file: nowhere\n",
        [
            "cexwatch.yaml:5 chains.tron.rpc_user: without effect: no endpoint here is core+http",
            "cexwatch.yaml:8 chains.bitcoin.api_key_file: the file cannot be read: No such file or directory",
            "cexwatch.yaml:8 chains.bitcoin.api_key_file: sent to TronGrid only: remove it",
        ],
        id="credentials that no endpoint asks for",
    ),
    pytest.param(
        "exchanges: {kraken: }\nchains:\n  bitcoin:\n    endpoints:\n      - core+http://127.0.0.1:8332\n"
        "      - http://[fd00::1]/api\n      - electrum://localhost:50001\n      - https://1.1.1.1\n"
        "      - https://node.local\n",
        [
            (
                f"cexwatch.yaml:{5 + number} chains.bitcoin.endpoints[{number}]: it is in a private network: if it is "
                "a node of yours, set chains.bitcoin.allow_private: true"
            )
            for number in range(3)
        ],
        id="nodes in a private network that nobody allowed",
    ),
    pytest.param(
        "exchanges: {kraken: }\nchains:\n  base:\n    chain_id: 8453\n"
        "    endpoints: [https://x.example/v3/hunter2, https://x.example/v3/hunter2]\n",
        ["cexwatch.yaml:5 chains.base.endpoints: an endpoint at x.example is named twice"],
        id="a node named twice",
    ),
    pytest.param(
        "exchanges:\n  kraken: {exposure: {BTC: -1}, exposure_of_key: true}\n",
        ["cexwatch.yaml:2 exchanges.kraken.exposure.BTC: expected more than 0, got '-1'"],
        id="an exposure of less than nothing",
    ),
    pytest.param(
        "exchanges:\n  kraken: {exposure_of_key: true}\n",
        [
            (
                "cexwatch.yaml:2 exchanges.kraken.exposure_of_key: needs a read-only key of that account: name its "
                "files in api_key_file and api_secret_file, or its variables in api_key_env and api_secret_env"
            )
        ],
        id="an account to read without a key",
    ),
    pytest.param(
        "exchanges:\n  kraken:\n  kraken: {interval: 30s}\n",
        ["cexwatch.yaml:3 exchanges.kraken: written twice, first in line 2"],
        id="a key written twice",
    ),
    pytest.param(
        "exchanges:\n\tkraken: {}\n",
        ["cexwatch.yaml:2: not YAML: a tab where only spaces may indent"],
        id="a tab",
    ),
    pytest.param(
        "exchanges: {kraken: {}\nlog: {level: info}\n",
        ["cexwatch.yaml:2: not YAML: while parsing a flow mapping, expected ',' or '}', but got '<scalar>'"],
        id="a brace left open",
    ),
    pytest.param(
        "exchanges: {kraken: }\n---\nexchanges: {okx: }\n",
        ["cexwatch.yaml:2: not YAML: expected a single document in the stream, but found another document"],
        id="two documents",
    ),
    pytest.param("a: *nowhere\n", ["cexwatch.yaml:1: not YAML: found undefined alias 'nowhere'"], id="a lost alias"),
    pytest.param("a: \x00\n", ["cexwatch.yaml:1: not YAML: it holds a control character"], id="a control character"),
    pytest.param(
        "exchanges: {kraken: !!python/object:os.system {}}",
        ["cexwatch.yaml:1 exchanges.kraken: tags like tag:yaml.org,2002:python/object:os.system are not supported"],
        id="a tag that would build an object",
    ),
    pytest.param("? [a]\n: b\nexchanges: {kraken: }\n", ["cexwatch.yaml:1: a key must be text"], id="a list for a key"),
    pytest.param("[" * 1000, ["cexwatch.yaml:1: nested too deeply"], id="a thousand brackets"),
    pytest.param(
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
        "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
        "d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n",
        ["cexwatch.yaml:1 c: aliases repeat more than 200 values"],
        id="a billion laughs",
    ),
    pytest.param(
        "a: &a [*a]\n", ["cexwatch.yaml:1 a: aliases repeat more than 200 values"], id="an alias inside itself"
    ),
    pytest.param(
        "role: operator\nexchanges: {kraken: }\n",
        ["cexwatch.yaml:1 role: an operator needs speaks_for: the exchange that drafts speak as"],
        id="an operator of no exchange",
    ),
    pytest.param(
        "role: operator\nspeaks_for: krakne\nexchanges: {kraken: }\n",
        ["cexwatch.yaml:2 speaks_for: not one of the exchanges here, did you mean 'kraken'?"],
        id="an operator of an exchange that is not here",
    ),
    pytest.param(
        "speaks_for: kraken\nexchanges: {kraken: }\n",
        ["cexwatch.yaml:1 speaks_for: an observer speaks for nobody: remove it, or set role: operator"],
        id="an observer who speaks for an exchange",
    ),
    pytest.param(
        "role: observr\nexchanges: {kraken: }\n",
        ["cexwatch.yaml:1 role: expected 'observer' or 'operator', got 'observr'"],
        id="a role nobody knows",
    ),
    pytest.param(
        "exchanges: {kraken: }\nwatch:\n  btc: [bitcoin]\n",
        ["cexwatch.yaml:3 watch.btc: expected an asset in capitals like BTC, got 'btc'"],
        id="an asset in small letters",
    ),
    pytest.param(
        "exchanges: {kraken: }\nwatch:\n  BTC: bitcoin\n  ETH: []\n  USDT: [Tron]\n  SOL: [solana, solana]\n",
        [
            "cexwatch.yaml:3 watch.BTC: expected a list like [a, b], got 'bitcoin'",
            "cexwatch.yaml:4 watch.ETH: expected at least 1, got 0",
            "cexwatch.yaml:5 watch.USDT[0]: expected a network like ethereum, got 'Tron'",
            "cexwatch.yaml:6 watch.SOL: 'solana' is named twice",
        ],
        id="rails in wrong shapes",
    ),
    pytest.param(
        "exchanges:\n  kraken:\n    watch: {" + ", ".join(f"A{n}: [x, y]" for n in range(21)) + "}\n",
        ["cexwatch.yaml:3 exchanges.kraken.watch: expected at most 40 rails (assets x networks) an exchange, got 42"],
        id="more rails than a page can show",
    ),
    pytest.param(
        "exchanges: {kraken: , okx: }\nlimits:\n  max_series: 900\n",
        [
            (
                "cexwatch.yaml:3 limits.max_series: 18 watched rails at 2 exchanges lead to about 1188 metric series, "
                "more than 900: watch fewer rails or raise it"
            )
        ],
        id="more series than allowed",
    ),
    pytest.param(
        "exchanges: {kraken: }\nlisten: 9877\ndatabase: mysql://x/y\nexternal_url: example.org\n",
        [
            "cexwatch.yaml:2 listen: expected host:port like 127.0.0.1:9877, got '9877'",
            "cexwatch.yaml:3 database: expected sqlite:///folder/file.db or postgresql://user@host/name",
            "cexwatch.yaml:4 external_url: expected a URL like https://example.org, got 'example.org'",
        ],
        id="addresses in wrong shapes",
    ),
    pytest.param(
        "exchanges: {kraken: }\nsocket: /" + "x" * 120 + "\n",
        ["cexwatch.yaml:2 socket: expected at most 107 characters, got 121"],
        id="a socket path the kernel refuses",
    ),
    pytest.param(
        "exchanges: {kraken: }\ndatabase: 'sqlite://'\n",
        [
            "cexwatch.yaml:2 database: expected sqlite:///folder/file.db or postgresql://user@host/name",
        ],
        id="a database without a file",
    ),
    pytest.param(
        "exchanges: {kraken: }\ncontrol:\n  targets: [https://a.example, ftp://b.example]\n",
        ["cexwatch.yaml:3 control.targets[1]: expected a URL like https://example.org, got 'ftp://b.example'"],
        id="a target that is not on the web",
    ),
    pytest.param(
        "exchanges: {kraken: }\ncontrol:\n  targets: [https://a.example]\n  allow_private: maybe\n",
        [
            "cexwatch.yaml:3 control.targets: expected at least 2, got 1",
            "cexwatch.yaml:4 control.allow_private: expected true or false, got 'maybe'",
        ],
        id="a single target",
    ),
    pytest.param(
        "exchanges: {kraken: }\nbudget: {pages_per_month: nan}\nlimits: {max_series: many}\nretention:\n",
        [
            "cexwatch.yaml:2 budget.pages_per_month: expected a number, got 'nan'",
            "cexwatch.yaml:3 limits.max_series: expected a whole number, got 'many'",
            "cexwatch.yaml:4 retention: expected a mapping like 'key: value', got nothing",
        ],
        id="numbers that are none",
    ),
    pytest.param(
        "exchanges: {kraken: }\nbudget: {pages_per_month: 0}\n"
        "limits: {max_series: 0, requests_per_second: {https://x: 1}}\n",
        [
            "cexwatch.yaml:2 budget.pages_per_month: expected more than 0, got '0'",
            "cexwatch.yaml:3 limits.max_series: expected at least 1, got '0'",
            (
                "cexwatch.yaml:3 limits.requests_per_second.https://x: "
                "expected a host like api.kraken.com, got 'https://x'"
            ),
        ],
        id="numbers out of bounds",
    ),
    pytest.param(
        "exchanges: {kraken: }\nreserves: addresses\ndrafts: {templates: mine}\n",
        [
            "cexwatch.yaml:2 reserves: no folder 'addresses'",
            "cexwatch.yaml:3 drafts.templates: no folder 'mine'",
        ],
        id="folders that are not there",
    ),
    pytest.param(
        "exchanges:\n  kraken:\n    queue:\n  okx:\n    queue: {prometheus: }\n  gate:\n    queue: {push: {}}\n",
        [
            "cexwatch.yaml:3 exchanges.kraken.queue: names no source: prometheus, http_json or push",
            "cexwatch.yaml:5 exchanges.okx.queue: names no source: prometheus, http_json or push",
            (
                "cexwatch.yaml:7 exchanges.gate.queue.push: needs a secret: name its file in secret_file or its "
                "variable in secret_env"
            ),
        ],
        id="queues that come from nowhere",
    ),
    pytest.param(
        "x: {bearer_token_env: A}\nexchanges:\n  kraken:\n    mentions:\n  okx:\n    mentions: {x: }\n"
        "  gate:\n    mentions: {x: ' gate', http_json: {url: 'https://a.example', count: '['}}\n",
        [
            "cexwatch.yaml:1 x.bearer_token_env: the environment variable is not set or empty",
            "cexwatch.yaml:4 exchanges.kraken.mentions: names no source: x or http_json",
            "cexwatch.yaml:6 exchanges.okx.mentions: names no source: x or http_json",
            (
                "cexwatch.yaml:8 exchanges.gate.mentions.http_json.count: expected a JMESPath expression like "
                "data.items, got '['"
            ),
            "cexwatch.yaml:8 exchanges.gate.mentions.http_json.query: required",
            (
                "cexwatch.yaml:8 exchanges.gate.mentions.x: expected a query of X like binance withdrawal, at most 512 "
                "characters, got ' gate'"
            ),
        ],
        id="mentions that come from nowhere",
    ),
    pytest.param(
        "exchanges:\n  kraken:\n    queue:\n      prometheus: {url: http://a, requested: '', broadcast: up}\n"
        "      http_json: {url: b, rows: 'a['}\n      push:\n",
        [
            "cexwatch.yaml:4 exchanges.kraken.queue.prometheus.pending: required",
            "cexwatch.yaml:4 exchanges.kraken.queue.prometheus.requested: expected text, got nothing",
            (
                "cexwatch.yaml:5 exchanges.kraken.queue.http_json.rows: expected a JMESPath expression like "
                "data.items, got 'a['"
            ),
            "cexwatch.yaml:5 exchanges.kraken.queue.http_json.url: expected a URL like https://example.org, got 'b'",
            (
                "cexwatch.yaml:6 exchanges.kraken.queue.push: needs a secret: name its file in secret_file or its "
                "variable in secret_env"
            ),
        ],
        id="queues in wrong shapes",
    ),
    pytest.param(
        "exchanges: {kraken: {queue: {http_json: {url: http://a, rows: '" + "(" * 5000 + "'}}}}",
        [
            (
                "cexwatch.yaml:1 exchanges.kraken.queue.http_json.rows: expected a JMESPath expression like "
                f"data.items, got '{'(' * 57}...'"
            )
        ],
        id="an expression of brackets",
    ),
    pytest.param(
        "x:\nexchanges:\n  kraken: {x_accounts: ['@krakensupport']}\n",
        [
            "cexwatch.yaml:1 x: needs a token: name its file in bearer_token_file or its variable in bearer_token_env",
            (
                "cexwatch.yaml:3 exchanges.kraken.x_accounts[0]: expected an account at X like krakensupport, "
                "without the @, got '@krakensupport'"
            ),
        ],
        id="X without a token",
    ),
    pytest.param(
        "exchanges:\n  kraken:\n    withdrawal_history: yes\n    account_frozen_until: 2026-02-03\n"
        "  okx: {account_frozen_until: 2026-02-03T14:00:00}\n  gate: {account_frozen_until: tomorrow}\n",
        [
            (
                "cexwatch.yaml:4 exchanges.kraken.account_frozen_until: expected a time with its zone like "
                "2026-02-03T14:00:00Z, got '2026-02-03'"
            ),
            (
                "cexwatch.yaml:5 exchanges.okx.account_frozen_until: expected a time with its zone like "
                "2026-02-03T14:00:00Z, got '2026-02-03T14:00:00'"
            ),
            (
                "cexwatch.yaml:6 exchanges.gate.account_frozen_until: expected a time like 2026-02-03T14:00:00Z, "
                "got 'tomorrow'"
            ),
        ],
        id="times that are none",
    ),
    pytest.param(
        "exchanges:\n  okx:\n    withdrawal_history: yes\n",
        [
            (
                "cexwatch.yaml:3 exchanges.okx.withdrawal_history: needs a read-only key of that account: name its "
                "files in api_key_file and api_secret_file, or its variables in api_key_env and api_secret_env"
            )
        ],
        id="a history without a key",
    ),
    pytest.param(
        "exchanges:\n  mine: {ccxt: bitmart, api: kraken}\n  other: {ccxt: ''}\n",
        [
            "cexwatch.yaml:2 exchanges.mine.ccxt: either api or ccxt, not both",
            (
                "cexwatch.yaml:3 exchanges.other: unknown exchange; known here: "
                "binance, bitget, bybit, gate, htx, kraken, kucoin, okx"
            ),
        ],
        id="exchanges of ccxt",
    ),
    pytest.param(
        "exchanges: {kraken: {status_json: {url: https://a, state: a, states: {ok: fine}, component: none}}}",
        [
            (
                "cexwatch.yaml:1 exchanges.kraken.status_json.component: expected 'all', 'withdrawals', 'deposits' "
                "or 'trading', got 'none'"
            ),
            (
                "cexwatch.yaml:1 exchanges.kraken.status_json.states.ok: expected 'operational', 'degraded', "
                "'maintenance' or 'outage', got 'fine'"
            ),
        ],
        id="words for a state that we do not have",
    ),
    pytest.param(
        'exchanges: {kraken: }\nlog: {"red \\e[31m": x}\n',
        ["cexwatch.yaml:2 log.'red \\x1b[31m': holds a line break or another character that cannot be shown"],
        id="a key that would colour the terminal",
    ),
    pytest.param(
        'exchanges: {okx: {api_key_file: "a\\0b", api_secret_file: "\\ud800"}}\nspeaks_for: |\n  kraken\n',
        [
            "cexwatch.yaml:1 exchanges.okx.api_key_file: holds a line break or another character that cannot be shown",
            (
                "cexwatch.yaml:1 exchanges.okx.api_secret_file: holds a line break or another character "
                "that cannot be shown"
            ),
            "cexwatch.yaml:2 speaks_for: holds a line break or another character that cannot be shown",
        ],
        id="values that are no text",
    ),
]


@pytest.mark.parametrize(("text", "printed"), BAD_FILES)
def test_a_bad_file_is_explained_with_line_and_path(tmp_path: Path, text: str, printed: list[str]) -> None:
    assert problems(tmp_path, text) == printed


def test_all_problems_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
        role: operator
        listne: 127.0.0.1:1
        role: observer
        exchanges:
          binnance:
            interval: soon
            api_key_env: NOT_SET
          kraken:
            url: kraken.com
        drafts: {expiry: 0s}
        """
    assert problems(tmp_path, text) == [
        "cexwatch.yaml:1 role: an operator needs speaks_for: the exchange that drafts speak as",
        "cexwatch.yaml:2 listne: unknown key, did you mean 'listen'?",
        "cexwatch.yaml:3 role: written twice, first in line 1",
        "cexwatch.yaml:5 exchanges.binnance: unknown exchange, did you mean 'binance'?",
        "cexwatch.yaml:5 exchanges.binnance: api_key and api_secret go together, and only api_key is here",
        "cexwatch.yaml:6 exchanges.binnance.interval: expected a duration like 30s, got 'soon'",
        "cexwatch.yaml:7 exchanges.binnance.api_key_env: the environment variable is not set or empty",
        "cexwatch.yaml:9 exchanges.kraken.url: expected a URL like https://example.org, got 'kraken.com'",
        "cexwatch.yaml:10 drafts.expiry: expected a duration like 30s, got '0s'",
    ]


@pytest.mark.parametrize(
    ("body", "printed"),
    [
        pytest.param(None, "cannot be read: No such file or directory", id="a file that is not there"),
        pytest.param(b"# " + b"x" * 1_000_000, "larger than 1 MB", id="a file too large"),
        pytest.param(b"a: 1\nb: \xff\n", "not UTF-8 text", id="a file in another encoding"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, body: bytes | None, printed: str) -> None:
    path = tmp_path / "cexwatch.yaml"
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(ConfigError, match=printed):
        load(path, {}, known_exchanges=KNOWN)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("database: postgresql://u:hunter2@h/d", id="database user"),
        pytest.param("database: postgresql://h/d?password=hunter2", id="database option"),
        pytest.param("database: postgresql://u:hunter2@h:x/d", id="database with a broken port"),
        pytest.param("external_url: https://u:hunter2@h", id="page"),
        pytest.param("external_url: https://hunter2@h", id="token for a user name"),
        pytest.param("exchanges: {kraken: {api_key: hunter2, api_secret_env: A}}", id="key in the file"),
        pytest.param("exchanges: {kraken: {api_key_env: hunter2, api_secret_env: A}}", id="key for a variable's name"),
        pytest.param("exchanges: {kraken: {api_key_file: hunter2, api_secret_env: A}}", id="key for a file's name"),
        pytest.param("exchanges: {kraken: {api_token: hunter2}}", id="key under a name nobody knows"),
        *[
            pytest.param(
                f"exchanges: {{kraken: {{queue: {{{section}: {{{key}: hunter2, url: 'http://a'}}}}}}}}",
                id=f"{section} {key}",
            )
            for section, secret in (("prometheus", "token"), ("http_json", "token"), ("push", "secret"))
            for key in (secret, f"{secret}_env", f"{secret}_file")
        ],
        *[
            pytest.param(f"x: {{{key}: hunter2}}", id=f"x {key}")
            for key in ("bearer_token", "bearer_token_env", "bearer_token_file", "bearer")
        ],
        pytest.param("exchanges: {kraken: {api_passphrase: hunter2}}", id="passphrase in the file"),
        pytest.param("exchanges: {kraken: {queue: {push: hunter2}}}", id="secret for its section"),
        pytest.param("x: hunter2", id="token for its section"),
        *[
            pytest.param(f"chains: {{bitcoin: {{endpoints: {endpoints}}}}}", id=f"key in a node's URL: {why}")
            for why, endpoints in (
                ("no list", "https://x.example/v3/hunter2"),
                ("no scheme", "[x.example/v3/hunter2]"),
                ("not ours", "[wss://x.example/v3/hunter2]"),
                ("a fragment", "[https://x.example/v3#hunter2]"),
                ("a path of Electrum", "[electrums://x.example:1/hunter2]"),
                ("twice", "[https://x.example/hunter2, https://x.example/hunter2]"),
            )
        ],
    ],
)
def test_a_secret_in_the_wrong_place_is_refused_and_not_printed(tmp_path: Path, line: str) -> None:
    printed = "\n".join(problems(tmp_path, line if "exchanges" in line else f"exchanges: {{kraken: }}\n{line}"))
    assert "hunter2" not in printed


@pytest.mark.parametrize(
    ("settings", "printed"),
    [
        pytest.param(
            "{api_key_file: key, api_key_env: KEY, api_secret_env: SECRET}",
            ["cexwatch.yaml:1 exchanges.okx.api_key_env: either api_key_file or api_key_env, not both"],
            id="named twice",
        ),
        pytest.param(
            "{api_key_env: KEY, api_secret_env: OTHER}",
            ["cexwatch.yaml:1 exchanges.okx.api_secret_env: the environment variable is not set or empty"],
            id="variable not set",
        ),
        pytest.param(
            "{api_key_env: KEY, api_secret_env: EMPTY}",
            ["cexwatch.yaml:1 exchanges.okx.api_secret_env: the environment variable is not set or empty"],
            id="variable empty",
        ),
        pytest.param(
            "{api_key_env: KEY, api_secret_file: nowhere}",
            ["cexwatch.yaml:1 exchanges.okx.api_secret_file: the file cannot be read: No such file or directory"],
            id="file not there",
        ),
        pytest.param(
            "{api_key_env: KEY, api_secret_file: .}",
            ["cexwatch.yaml:1 exchanges.okx.api_secret_file: the file cannot be read: Is a directory"],
            id="folder for a file",
        ),
        pytest.param(
            "{api_key_env: KEY, api_secret_file: blank}",
            ["cexwatch.yaml:1 exchanges.okx.api_secret_file: the file is empty"],
            id="file empty",
        ),
        pytest.param(
            "{api_key_env: KEY}",
            ["cexwatch.yaml:1 exchanges.okx: api_key and api_secret go together, and only api_key is here"],
            id="key without secret",
        ),
        pytest.param(
            "{api_key_env: KEY, api_secret: x}",
            [
                (
                    "cexwatch.yaml:1 exchanges.okx.api_secret: a secret is not written here: "
                    "name its file in api_secret_file or its variable in api_secret_env"
                )
            ],
            id="written in the file",
        ),
    ],
)
def test_a_secret_that_cannot_be_had_is_a_problem(tmp_path: Path, settings: str, printed: list[str]) -> None:
    (tmp_path / "blank").write_text("\n")
    (tmp_path / "blank").chmod(0o600)
    environ = {"KEY": "k", "SECRET": "s", "EMPTY": ""}
    assert problems(tmp_path, f"exchanges: {{okx: {settings}}}", environ) == printed


SLOTS = [
    pytest.param(
        "exchanges: {okx: {queue: {prometheus: {url: http://a, requested: a, broadcast: a, pending: a, SLOT}}}}",
        "exchanges.okx.queue.prometheus",
        "token",
        id="prometheus",
    ),
    pytest.param(
        "exchanges: {okx: {queue: {http_json: {url: http://a, SLOT}}}}",
        "exchanges.okx.queue.http_json",
        "token",
        id="page",
    ),
    pytest.param("exchanges: {okx: {queue: {push: {SLOT}}}}", "exchanges.okx.queue.push", "secret", id="push"),
    pytest.param(
        "exchanges: {okx: {api_key_env: KEY, api_secret_env: KEY, SLOT}}",
        "exchanges.okx",
        "api_passphrase",
        id="passphrase",
    ),
    pytest.param("x: {SLOT}\nexchanges: {okx: }", "x", "bearer_token", id="X"),
]


@pytest.mark.parametrize(("text", "where", "secret"), SLOTS)
def test_every_secret_keeps_the_same_rules(tmp_path: Path, text: str, where: str, secret: str) -> None:
    for name, content in (("blank", "\n"), ("lines", "hunter2\nhunter2\n")):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)

    def printed(slot: str) -> list[str]:
        return problems(tmp_path, text.replace("SLOT", slot), {"KEY": "k", "LINES": "hunter2\nhunter2"})

    start = f"cexwatch.yaml:1 {where}.{secret}"
    assert printed(f"{secret}: hunter2") == [
        f"{start}: a secret is not written here: name its file in {secret}_file or its variable in {secret}_env"
    ]
    assert printed(f"{secret}_file: a, {secret}_env: KEY") == [
        f"{start}_env: either {secret}_file or {secret}_env, not both"
    ]
    assert printed(f"{secret}_env: NOT_SET") == [f"{start}_env: the environment variable is not set or empty"]
    assert printed(f"{secret}_file: no") == [f"{start}_file: the file cannot be read: No such file or directory"]
    assert printed(f"{secret}_file: blank") == [f"{start}_file: the file is empty"]
    told = "it holds more than one line: a secret is one, or a PEM block"
    assert printed(f"{secret}_file: lines") == [f"{start}_file: {told}"]
    assert printed(f"{secret}_env: LINES") == [f"{start}_env: {told}"]


@pytest.mark.parametrize(
    ("settings", "printed"),
    [
        pytest.param(
            "okx: {api_key_env: KEY, api_secret_env: KEY}",
            [
                (
                    "cexwatch.yaml:1 exchanges.okx: its keys have a passphrase: name its file in api_passphrase_file "
                    "or its variable in api_passphrase_env"
                )
            ],
            id="a key without it",
        ),
        pytest.param(
            "mine: {api: okx, api_key_env: KEY, api_secret_env: KEY}",
            [
                (
                    "cexwatch.yaml:1 exchanges.mine: its keys have a passphrase: name its file in api_passphrase_file "
                    "or its variable in api_passphrase_env"
                )
            ],
            id="a key of its dialect without it",
        ),
        pytest.param(
            "kraken: {api_passphrase_env: KEY}",
            ["cexwatch.yaml:1 exchanges.kraken: api_passphrase is part of a key, and no api_key is here"],
            id="it without a key",
        ),
    ],
)
def test_a_key_is_given_with_all_its_parts(tmp_path: Path, settings: str, printed: list[str]) -> None:
    assert problems(tmp_path, f"exchanges: {{{settings}}}", {"KEY": "k"}, passphrases=["okx"]) == printed


@pytest.mark.parametrize(
    ("name", "ccxt"),
    [
        pytest.param("binance", "binance", id="both"),
        pytest.param("mine", "binance", id="by its id"),
        pytest.param("binance", "binanceus", id="by its name"),
    ],
)
def test_a_key_of_an_exchange_that_is_read_natively_is_not_given_to_ccxt(tmp_path: Path, name: str, ccxt: str) -> None:
    text = f"exchanges: {{{name}: {{ccxt: {ccxt}, api_key_env: KEY, api_secret_env: KEY}}}}"
    assert problems(tmp_path, text, {"KEY": "k"}) == [
        (f"cexwatch.yaml:1 exchanges.{name}.ccxt: ccxt cannot tell what a key may do: use binance natively")
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("derribit", ", did you mean 'deribit'?", id="of a book"),
        pytest.param("krakn", ", did you mean 'kraken'?", id="of one we know"),
        pytest.param("mtgox", f"; known here: {', '.join(sorted(KNOWN))}", id="near none"),
    ],
)
def test_a_misspelled_exchange_may_be_one_that_has_an_address_book(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "reserves").mkdir()
    (tmp_path / "reserves" / "deribit.yaml").write_text("exchange: deribit\nlists: []\n")
    assert problems(tmp_path, f"exchanges: {{{name}: }}") == [
        f"cexwatch.yaml:1 exchanges.{name}: unknown exchange{told}"
    ]


def test_two_exchanges_do_not_share_a_push_secret(tmp_path: Path) -> None:
    text = """\
        exchanges:
          kraken: {queue: {push: {secret_env: KEY}}}
          okx: {queue: {push: {secret_env: SAME}}}
        """
    assert problems(tmp_path, text, {"KEY": "k" * 20, "SAME": "k" * 20}) == [
        "cexwatch.yaml:3 exchanges.okx.queue.push: has the secret of kraken: give each its own"
    ]


COMPLETE = """\
role: observer
speaks_for: ""
listen: 127.0.0.1:9877
database: sqlite:///data/cexwatch.db
socket: data/cexwatch.sock
external_url: https://watch.example
log: {level: info, format: auto}
watch: {BTC: [bitcoin]}
exchanges:
  okx: {url: https://a.example, status_page: https://b.example, interval: 30s, allow_private: false, watch: {}}
  binance: {api_key_file: key, api_secret_env: SECRET, withdrawal_history: true, account_frozen_until: FROZEN}
  gate: {announcements: https://g.example, x_accounts: [gate_io],
         status_json: {url: https://h.example, state: a.b, states: {OK: operational}, component: all, interval: 61s}}
  kraken:
    queue:
      prometheus: {url: http://i.example, requested: up, broadcast: up, pending: up, oldest_seconds: up, window: 2m,
                   asset_label: coin, network_label: chain, interval: 15s, allow_private: true, token_env: SECRET}
  htx:
    queue:
      http_json: {url: http://j.example, rows: data, asset: coin, token_file: key}
      push: {secret_env: SECRET}
  others: {ccxt: bitmart, title: Bitmart, perpetual_url: https://k.example}
x: {bearer_token_env: SECRET, interval: 5m}
chains:
  base: {chain_id: 8453, endpoints: [https://c.example], interval: 60s, allow_private: true, tokens: {}}
  bsc: {chain_id: 56, endpoints: [https://d.example], tokens: {USDT: {contract: CONTRACT, decimals: 18}}}
reserves: .
control: {interval: 15s, targets: [https://e.example, https://f.example], allow_private: true}
drafts: {expiry: 20m, next_update: 30m, templates: .}
channels: {file: {folder: data/posts}}
retention: {observations: 60d}
budget: {pages_per_month: 1.0}
limits: {max_series: 10000, requests_per_second: {api.kraken.com: 1}}
""".replace("CONTRACT", "0x55d398326f99059fF775485246999027B3197955").replace("FROZEN", "2026-02-03T14:00:00Z")
VALUES = sorted(set(re.findall(r"(?<=: )[^\s,{}\[\]]+|\{.*\}|\[[^\[\]]*\]", COMPLETE)))
SHAPES = ("", "~", "''", "[]", "{}", "[[]]", "[~]", "{a: b}", "*x", "&x y")
WORDS = ("0", "-1", "1e400", "nan", "true", "x", "BTC", "'['", '"\\0"', "9" * 5000, "111111111d")
ADDRESSES = ("https://", "https://[", "http://a:b@c", "sqlite://", "postgresql://u@h:x/d")


def test_the_complete_file_is_right(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x")
    (tmp_path / "cexwatch.yaml").write_text(COMPLETE)
    load(tmp_path / "cexwatch.yaml", {"SECRET": "x"}, known_exchanges=KNOWN)


@pytest.mark.parametrize("junk", [pytest.param(junk, id=f"{junk[:20]!a}") for junk in SHAPES + WORDS + ADDRESSES])
def test_whatever_stands_for_a_value_it_is_taken_or_explained(tmp_path: Path, junk: str) -> None:
    (tmp_path / "key").write_text("x")
    path = tmp_path / "cexwatch.yaml"
    for value in VALUES:
        path.write_text(COMPLETE.replace(f" {value}", f" {junk}", 1), encoding="utf-8")
        try:
            load(path, {"SECRET": "x"}, known_exchanges=KNOWN)
        except ConfigError as error:
            printed = str(error)
        else:
            continue
        assert all(line.startswith(f"{path}:") for line in printed.split("\n")), printed


@pytest.mark.parametrize(
    "settings",
    ["gate: {exposure_of_key: true, ", "other: {api: gate, exposure_of_key: true, "],
    ids=["itself", "by api"],
)
def test_what_no_key_tells_cannot_be_asked_of_one(tmp_path: Path, settings: str) -> None:
    text = f"exchanges: {{{settings}api_key_env: KEY, api_secret_env: KEY}}}}"
    name = settings.partition(":")[0]
    why = "no key of it tells what is held: write it as `exposure` here"
    assert problems(tmp_path, text, {"KEY": "k"}) == [f"cexwatch.yaml:1 exchanges.{name}.exposure_of_key: {why}"]
