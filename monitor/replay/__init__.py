"""The engines fed from a file instead of the world."""
