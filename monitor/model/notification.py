"""What our own people are to be told: one transition, or one state of a draft, in words that a restart repeats."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monitor.model.words import Severity


class Topic(StrEnum):
    """What a target can be about."""

    PAGES = "pages"  # incidents of severity critical
    WARNINGS = "warnings"
    DRAFTS = "drafts"  # a text waits for a person, and then that it waits no longer
    OUTCOMES = "outcomes"  # what became of a draft


class Happened(StrEnum):
    """What a notification says of its subject, as far as its delivery depends on it."""

    OPENED = "opened"
    ESCALATED = "escalated"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    WAITING = "waiting"  # a draft waits for approval
    DECIDED = "decided"  # a draft waits no longer
    SENT = "sent"  # a channel took an approved draft, or did not


RISES = (Happened.OPENED, Happened.ESCALATED, Happened.REOPENED)
"""What says that an incident is open."""


class Notification(Struct, frozen=True, kw_only=True):
    seq: int  # of the journal entry that caused it
    n: int  # its place among what that entry caused
    at: datetime
    topic: Topic
    subject: str  # the incident or the draft
    happened: Happened
    severity: Severity
    title: str  # one line
    text: str  # what a person has to know, links included
    drill: bool = False  # nothing is wrong: it is a test, as its title and text say

    @property
    def key(self) -> str:
        """The same after every restart: what is sent twice is recognised by it."""
        return f"{self.seq}-{self.n}"


class Queued(Struct, frozen=True, kw_only=True):
    """A notification as it waits at a target; `message` is the key of the message that began to carry it."""

    notification: Notification
    message: str = ""
    put_off: bool = False  # nobody was to be told of its incident when it came


class Told(Struct, frozen=True, kw_only=True):
    """That a target was told something of a subject."""

    subject: str
    happened: Happened
    message: str
    sent_at: datetime
