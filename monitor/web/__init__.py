"""Faces on HTTP: pages, metrics, health."""
