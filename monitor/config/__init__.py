"""What a person can set, read once: `load` gives a `Config` or every problem at once, with file, line and path."""

from monitor.config.chains import Chain, Token
from monitor.config.channels import Channels, FileChannel, StatuspageChannel, Thread, WebhookChannel, XChannel
from monitor.config.drafts import Drafts
from monitor.config.judgement import judging, judging_sha256
from monitor.config.loading import Loaded, load
from monitor.config.notifying import Alertmanager, Heartbeat, NotifyTarget, Paging, urls_of
from monitor.config.reference import reference, schema
from monitor.config.secret import revealed, secrets_of
from monitor.config.settings import (
    Budget,
    Config,
    Control,
    ExchangeSettings,
    FreezeGate,
    JsonMentions,
    Limits,
    Log,
    LogFormat,
    LogLevel,
    Queue,
    Retention,
    X,
)
from monitor.config.values import Listen
from monitor.config.yaml_file import ConfigError, ConfigProblem

__all__ = [
    "Alertmanager",
    "Budget",
    "Chain",
    "Channels",
    "Config",
    "ConfigError",
    "ConfigProblem",
    "Control",
    "Drafts",
    "ExchangeSettings",
    "FileChannel",
    "FreezeGate",
    "Heartbeat",
    "JsonMentions",
    "Limits",
    "Listen",
    "Loaded",
    "Log",
    "LogFormat",
    "LogLevel",
    "NotifyTarget",
    "Paging",
    "Queue",
    "Retention",
    "StatuspageChannel",
    "Thread",
    "Token",
    "WebhookChannel",
    "X",
    "XChannel",
    "judging",
    "judging_sha256",
    "load",
    "reference",
    "revealed",
    "schema",
    "secrets_of",
    "urls_of",
]
