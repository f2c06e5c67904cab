"""cexwatch: watches whether centralized exchanges still pay withdrawals, and says so with evidence."""

__version__ = "0.1.0"
