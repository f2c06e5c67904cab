"""Detectors: entries in, findings out."""
