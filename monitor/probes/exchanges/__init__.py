"""One module an exchange: decode what it answers into rail readings."""
