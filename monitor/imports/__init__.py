"""History of others into journal files: tables, and what a Prometheus keeps. What cannot be read is told."""
