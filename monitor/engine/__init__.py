"""The mind: pure functions of the journal. No await, clock, randomness, log or I/O in here."""
