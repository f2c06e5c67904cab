"""Money that leaves: how much, how fast, to how many, and what that looks like."""
