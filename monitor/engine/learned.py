"""What detectors have learned of an exchange, each with a version of its own, and how it is written down."""

import msgspec
from msgspec import Struct

from monitor.engine.detectors import campaign, silence
from monitor.engine.detectors.campaign import CampaignLearned
from monitor.engine.detectors.outflow import detector as outflow
from monitor.engine.detectors.outflow.detector import OutflowLearned
from monitor.engine.detectors.silence import SilenceLearned

VERSIONS = {"silence": silence.VERSION, "campaign": campaign.VERSION, "outflow": outflow.VERSION}
"""Detector -> the version of its way of learning; what another version has learned is dropped."""


class Learned(Struct):
    silence: SilenceLearned = msgspec.field(default_factory=SilenceLearned)
    campaign: CampaignLearned = msgspec.field(default_factory=CampaignLearned)
    outflow: OutflowLearned = msgspec.field(default_factory=OutflowLearned)


class _Part(Struct, array_like=True):
    version: int
    body: msgspec.Raw


def encode_learned(learned: Learned, *, unlearned: tuple[str, ...] = ()) -> bytes:
    """`unlearned` detectors are written as of no version, so that they are learned anew after a restart too."""
    parts = {
        name: _Part(
            0 if name in unlearned else version,
            msgspec.Raw(msgspec.msgpack.encode(msgspec.structs.asdict(learned)[name])),
        )
        for name, version in VERSIONS.items()
    }
    return msgspec.msgpack.encode(parts)


def decode_learned(body: bytes) -> tuple[Learned, tuple[str, ...]]:
    """What was learned, and the detectors that have to learn anew. Raises msgspec.ValidationError."""
    parts = msgspec.msgpack.decode(body, type=dict[str, _Part])
    kept = {name: part.body for name, part in parts.items() if part.version == VERSIONS.get(name)}
    learned = msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=Learned)
    return learned, tuple(name for name in VERSIONS if name not in kept)
