"""Reading public chains: heads, nonces, balances at one block."""
