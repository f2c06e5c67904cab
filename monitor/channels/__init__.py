"""Where approved words go."""
