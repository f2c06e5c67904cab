"""Memory: the journal, checkpoints and projections in SQL."""

from monitor.store.step import Checkpoint, DamagedError, Step, StoreError, UnavailableError
from monitor.store.store import Store

__all__ = ["Checkpoint", "DamagedError", "Step", "Store", "StoreError", "UnavailableError"]
