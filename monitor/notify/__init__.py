"""What wakes and informs our own people. No public word goes this way."""
