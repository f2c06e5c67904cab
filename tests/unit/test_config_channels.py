"""Channels as a person writes them: what is missing or does not fit is told with its line, and no secret ever is."""

from pathlib import Path

import pytest

from monitor.config import judging, load
from tests.unit.test_config_problems import KNOWN, problems

KEYS = {
    "K": "consumer-key-canary",
    "S": "consumer-secret-canary",
    "T": "1234567890-access-token-canary",
    "U": "access-token-secret-canary",
    "P": "statuspage-key-canary",
    "W": "webhook-secret-canary",
}
X = "consumer_key_env: K, consumer_secret_env: S, access_token_env: T, access_token_secret_env: U"
STATUSPAGE = "page: abc, api_key_env: P"
WEBHOOK = "url: https://hooks.example, secret_env: W"


NOT_ONE = "an access token of OAuth 1.0a begins with the number of its account and a hyphen; this one does not"


def needs(channel: str, secret: str) -> str:
    return f"channels.{channel}: needs {secret}: name its file in {secret}_file or its variable in {secret}_env"


def text(channels: str) -> str:
    return f"exchanges: {{kraken: }}\nchannels: {{{channels}}}\n"


@pytest.mark.parametrize(
    ("channels", "told"),
    [
        pytest.param(
            "x: {consumer_key_env: K, consumer_secret_env: S}",
            [
                needs("x", "access_token"),
                needs("x", "access_token_secret"),
            ],
            id="half of a key",
        ),
        pytest.param(
            "statuspage: {page: abc}",
            [needs("statuspage", "api_key")],
            id="a page without a key",
        ),
        pytest.param(
            "webhook: {url: 'https://a.example'}",
            [needs("webhook", "secret")],
            id="a webhook without a secret",
        ),
        pytest.param(
            "statuspage: {page: abc, api_key_env: NOT_SET}",
            ["channels.statuspage.api_key_env: the environment variable is not set or empty"],
            id="a variable that is not set",
        ),
        pytest.param(
            f"x: {{{X.replace('_env: T', '_env: U')}}}",
            [f"channels.x.access_token_env: {NOT_ONE}"],
            id="another secret in the place of the token",
        ),
        pytest.param(
            f"x: {{{X}, api_base_url: 'http://x.example'}}",
            ["channels.x.api_base_url: expected https: with http everybody on the way reads the key"],
            id="an open line",
        ),
        pytest.param(
            f"x: {{{X}, fallback: statuspage}}",
            ["channels.x.fallback: not one of the channels here; known here: file, x"],
            id="a fall-back that there is not",
        ),
        pytest.param(
            f"x: {{{X}, fallback: x}}", ["channels.x.fallback: a channel is no fall-back of its own"], id="its own"
        ),
        pytest.param(
            f"x: {{{X}, fallback: statuspage}}, statuspage: {{{STATUSPAGE}, fallback: x}}",
            [
                "channels.statuspage.fallback: x has a fall-back of its own: one must be the last",
                "channels.x.fallback: statuspage has a fall-back of its own: one must be the last",
            ],
            id="in a circle",
        ),
        pytest.param("file: null", ["channels.file: no channel is left: what is approved would go nowhere"], id="none"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, channels: str, told: list[str]) -> None:
    found = problems(tmp_path, text(channels), KEYS)
    assert [problem.partition(" ")[2] for problem in found] == told
    assert not any(secret in "".join(found) for secret in KEYS.values())


def test_a_fall_back_has_no_drafts_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "cexwatch.yaml"
    path.write_text(text(f"file: null, x: {{{X}, fallback: statuspage}}, statuspage: {{{STATUSPAGE}}}"))
    config = load(path, KEYS, known_exchanges=KNOWN).config
    judged = judging(config, titles={}, templates={}, needs_key={}, intervals={}, own_tokens={})
    assert (judged.channels, judged.fallbacks) == (("x",), {"x": "statuspage"})
    assert judged.fallback_seconds == {"x": 300.0}
    assert not any(secret in repr(config) for secret in KEYS.values())


def test_a_short_secret_of_a_webhook_is_refused(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, text(f"webhook: {{{WEBHOOK}}}"), {"W": "short"})
    assert "can be guessed" in problem
