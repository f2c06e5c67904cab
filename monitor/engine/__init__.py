"""The mind: pure functions of the journal."""
