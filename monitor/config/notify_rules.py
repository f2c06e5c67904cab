"""What the ways to one's own people ask of each other: exactly one of them pages, and links need an address."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from monitor.config.notifying import NotifyTarget, Paging, urls_of
from monitor.config.settings import Config
from monitor.config.yaml_file import ConfigFile, ConfigProblem, Where, suggestion
from monitor.model import Topic

_URLS = "its URLs of apprise: name their file in urls_file or their variable in urls_env"
_WITH_LINKS = (Topic.DRAFTS, Topic.OUTCOMES)
_PAGING = (Topic.PAGES, Topic.WARNINGS)


def notify_problems(file: ConfigFile, config: Config) -> Iterator[ConfigProblem]:
    targets = config.notify.targets
    for name, target in targets.items():
        yield from _target_problems(file, ("notify", "targets", name), name, targets)
        yield from _paging_problems(file, ("notify", "targets", name, "about"), target, config.paging)
    yield from _link_problems(file, config)
    yield from _pager_problems(file, config)
    if config.heartbeat is not None:
        yield from _heartbeat_problems(file, config)


def _target_problems(
    file: ConfigFile, where: Where, name: str, targets: Mapping[str, NotifyTarget]
) -> Iterator[ConfigProblem]:
    target = targets[name]
    if target.urls_file is None and target.urls_env is None:
        yield file.problem(where, f"needs {_URLS}")
    elif target.urls is not None and not urls_of(target):
        yield file.problem(where, "names no URL: it holds only empty lines and comments")
    if target.fallback == name:
        yield file.problem((*where, "fallback"), "is the target itself: name another one")
    elif target.fallback and target.fallback not in targets:
        known = [other for other in targets if other != name]
        yield file.problem((*where, "fallback"), f"not one of the targets here{suggestion(target.fallback, known)}")


def _paging_problems(file: ConfigFile, where: Where, target: NotifyTarget, paging: Paging) -> Iterator[ConfigProblem]:
    topics = [topic.value for topic in target.about if topic in _PAGING]
    if not topics or paging is Paging.DIRECT:
        return
    who = "Prometheus wakes people" if paging is Paging.PROMETHEUS else "nobody is woken"
    yield file.problem(
        where, f"{' and '.join(topics)} with paging: {paging}, where {who}: remove it here, or set paging: direct"
    )


def _link_problems(file: ConfigFile, config: Config) -> Iterator[ConfigProblem]:
    needing = [
        name for name, target in config.notify.targets.items() if any(topic in _WITH_LINKS for topic in target.about)
    ]
    if needing and not config.external_url:
        yield file.problem(
            ("external_url",),
            f"{needing[0]} is told of drafts, and its links need it: how people reach the page, like "
            "https://cexwatch.example.org",
        )


def _pager_problems(file: ConfigFile, config: Config) -> Iterator[ConfigProblem]:
    pushes = config.alertmanager is not None
    if pushes and config.paging is not Paging.DIRECT:
        yield file.problem(
            ("alertmanager",),
            f"with paging: {config.paging} nothing is pushed to it: remove it, or set paging: direct"
            + (" and the rules of Prometheus aside" if config.paging is Paging.PROMETHEUS else ""),
        )
    pagers = [target for target in config.notify.targets.values() if Topic.PAGES in target.about]
    if config.paging is Paging.DIRECT and not pushes and not pagers:
        yield file.problem(
            ("paging",), "direct, and nobody is paged: give a target of notify `about: [pages]`, or set alertmanager"
        )


def _heartbeat_problems(file: ConfigFile, config: Config) -> Iterator[ConfigProblem]:
    heartbeat = config.heartbeat
    if heartbeat is None:
        return
    if heartbeat.url_file is None and heartbeat.url_env is None:
        yield file.problem(("heartbeat",), "needs the URL to ask: name its file in url_file or its variable in url_env")
    elif heartbeat.url is not None:
        parts = urlsplit(heartbeat.url.get_secret_value())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            yield file.problem(("heartbeat",), "what it names is no URL like https://hc-ping.com/<uuid>")
