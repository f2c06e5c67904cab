"""What the channels ask of each other and of their secrets, with the line of the one that has to change."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from monitor.config.channels import Channels, StatuspageChannel, XChannel
from monitor.config.secret import revealed
from monitor.config.yaml_file import ConfigFile, ConfigProblem, Document, suggestion

NEEDED = {
    "x": ("consumer_key", "consumer_secret", "access_token", "access_token_secret"),
    "statuspage": ("api_key",),
    "webhook": ("secret",),
}
SHORTEST_SECRET = 16

_ACCESS_TOKEN = re.compile(r"[0-9]{1,19}-\S+", re.ASCII)


def missing_secrets(file: ConfigFile) -> Iterator[ConfigProblem]:
    """Secrets that a channel cannot do without and that nothing names."""
    match file.document.get("channels"):
        case dict() as channels:
            for name, secrets in NEEDED.items():
                yield from _missing(file, name, channels.get(name), secrets)
        case _:
            pass


def _missing(file: ConfigFile, name: str, body: Document, secrets: tuple[str, ...]) -> Iterator[ConfigProblem]:
    match body:
        case dict():
            pass
        case _:
            return
    for secret in secrets:
        if not any(key in body for key in (secret, f"{secret}_file", f"{secret}_env")):
            message = f"needs {secret}: name its file in {secret}_file or its variable in {secret}_env"
            yield file.problem(("channels", name), message)


def channel_problems(file: ConfigFile, channels: Channels) -> Iterator[ConfigProblem]:
    """What is wrong with channels that are each right."""
    if not channels.configured():
        yield file.problem(("channels", "file"), "no channel is left: what is approved would go nowhere")
    if channels.x is not None:
        yield from _x_problems(file, channels.x)
    if channels.webhook is not None and 0 < len(revealed(channels.webhook.secret)) < SHORTEST_SECRET:
        message = f"a secret of less than {SHORTEST_SECRET} characters can be guessed: try `openssl rand -hex 32`"
        yield file.problem(("channels", "webhook"), message)
    yield from _plain_problems(file, channels)
    yield from _fallback_problems(file, channels, channels.fallbacks())


def _x_problems(file: ConfigFile, x: XChannel) -> Iterator[ConfigProblem]:
    token = revealed(x.access_token)
    if token and not _ACCESS_TOKEN.fullmatch(token):
        named = "access_token_env" if x.access_token_file is None else "access_token_file"
        message = "an access token of OAuth 1.0a begins with the number of its account and a hyphen; this one does not"
        yield file.problem(("channels", "x", named), message)


def _plain_problems(file: ConfigFile, channels: Channels) -> Iterator[ConfigProblem]:
    """A key is not sent over an open line, unless it stays in a network of one's own."""
    bases = [(name, c.api_base_url, c.allow_private) for name, c in _with_base(channels)]
    for name, url, is_private in bases:
        if urlsplit(url).scheme != "https" and not is_private:
            message = "expected https: with http everybody on the way reads the key"
            yield file.problem(("channels", name, "api_base_url"), message)


def _with_base(channels: Channels) -> Iterator[tuple[str, XChannel | StatuspageChannel]]:
    if channels.x is not None:
        yield "x", channels.x
    if channels.statuspage is not None:
        yield "statuspage", channels.statuspage


def _fallback_problems(file: ConfigFile, channels: Channels, fallbacks: Mapping[str, str]) -> Iterator[ConfigProblem]:
    configured = channels.configured()
    for name, fallback in fallbacks.items():
        where = ("channels", name, "fallback")
        if fallback == name:
            yield file.problem(where, "a channel is no fall-back of its own")
        elif fallback not in configured:
            yield file.problem(where, f"not one of the channels here{suggestion(fallback, configured)}")
        elif fallback in fallbacks:
            yield file.problem(where, f"{fallback} has a fall-back of its own: one must be the last")
