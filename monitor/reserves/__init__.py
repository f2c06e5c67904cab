"""The address book of public reserve addresses."""
