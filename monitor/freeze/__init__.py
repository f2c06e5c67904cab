"""The withdrawal freeze: a lock on an account's withdrawals that nobody can open before its end.

It runs as a process of its own and needs nothing of the daemon. No type, command or request here can make an end
earlier.
"""
