"""How we look. The registry of probes is literal."""
