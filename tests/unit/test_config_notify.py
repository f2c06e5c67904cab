"""Who is told what: exactly one way to page, links that lead somewhere, and problems that say what to do."""

from pathlib import Path

import pytest

from monitor.config import Config, ConfigError, Paging, load, secrets_of, urls_of

ENVIRON = {"ONCALL": "json://one.example.org/abcdefghijklmnopqrstuv\n\n# later\njson://two.example.org\n"}
TARGET = "notify: {targets: {oncall: {urls_env: ONCALL, about: [%s]}}}\n"


def loaded(folder: Path, more: str) -> Config:
    path = folder / "cexwatch.yaml"
    path.write_text(f"exchanges: {{kraken: }}\n{more}")
    return load(path, ENVIRON, known_exchanges=["kraken"]).config


def problems(folder: Path, more: str) -> str:
    with pytest.raises(ConfigError) as raised:
        loaded(folder, more)
    return str(raised.value)


def test_urls_are_one_a_line_and_no_log_shows_one(tmp_path: Path) -> None:
    config = loaded(tmp_path, "paging: direct\n" + TARGET % "pages, warnings")
    target = config.notify.targets["oncall"]
    assert urls_of(target) == ("json://one.example.org/abcdefghijklmnopqrstuv", "json://two.example.org")
    assert {*urls_of(target), "abcdefghijklmnopqrstuv"} <= set(secrets_of(config))
    assert "one.example.org" not in repr(config)


def test_without_a_word_prometheus_pages_and_nobody_else_is_told(tmp_path: Path) -> None:
    config = loaded(tmp_path, "")
    assert (config.paging, config.notify.targets, config.heartbeat) == (Paging.PROMETHEUS, {}, None)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        pytest.param(
            TARGET % "pages",
            "notify.targets.oncall.about: pages with paging: prometheus, where Prometheus wakes people: "
            "remove it here, or set paging: direct",
            id="two would page",
        ),
        pytest.param(
            "paging: none\n" + TARGET % "warnings",
            "warnings with paging: none, where nobody is woken: remove it here, or set paging: direct",
            id="nobody is to be woken",
        ),
        pytest.param(
            "paging: direct\n",
            "paging: direct, and nobody is paged: give a target of notify `about: [pages]`, or set alertmanager",
            id="nobody would be woken",
        ),
        pytest.param(
            TARGET % "drafts",
            "external_url: oncall is told of drafts, and its links need it",
            id="links that lead nowhere",
        ),
        pytest.param(
            "alertmanager: {urls: [http://127.0.0.1:9093]}\n",
            "alertmanager: with paging: prometheus nothing is pushed to it: remove it, or set paging: direct",
            id="Alertmanager hears of it twice",
        ),
        pytest.param("notify: {targets: {a: {about: [drafts]}}}\n", "needs its URLs of apprise", id="no URLs"),
        pytest.param(
            "notify: {targets: {a: {urls_env: ONCALL, about: [drafts], fallback: b}}}\n",
            "not one of the targets here",
            id="a fallback that is not there",
        ),
        pytest.param(
            "notify: {targets: {a: {urls_env: ONCALL, about: [drafts], fallback: a}}}\n",
            "is the target itself",
            id="its own fallback",
        ),
        pytest.param(
            "notify: {targets: {a: {urls: 'json://x', about: [drafts]}}}\n",
            "a secret is not written here",
            id="a secret in the file",
        ),
        pytest.param("heartbeat: {interval: 1m}\n", "needs the URL to ask", id="a heartbeat to nobody"),
        pytest.param("heartbeat: {url_env: ONCALL}\n", "it holds more than one line", id="a heartbeat to many"),
        pytest.param("notify: {targets: {a: {urls_env: ONCALL, about: []}}}\n", "about", id="about nothing"),
    ],
)
def test_problems_say_what_to_do(tmp_path: Path, more: str, told: str) -> None:
    assert told in problems(tmp_path, more)
