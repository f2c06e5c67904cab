"""The only way out over HTTP for probes, chains and channels, and how often each host may be asked."""

from monitor.http.client import Answer, Http, Remember, forgotten

__all__ = ["Answer", "Http", "Remember", "forgotten"]
