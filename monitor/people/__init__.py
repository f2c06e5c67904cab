"""Accounts of those who decide, and the devices they are signed in on."""
