"""Memory: the journal, checkpoints and projections in SQL."""
