"""Detectors: observations in, findings out. Each keeps its memory in one struct, which a checkpoint encodes."""
