"""Reports that open offline: what a journal tells of an incident, a backtest or a period, as one page."""
