"""Memory: the journal, checkpoints and projections in SQL."""

from monitor.store.step import Checkpoint, Step, StoreError
from monitor.store.store import Store

__all__ = ["Checkpoint", "Step", "Store", "StoreError"]
