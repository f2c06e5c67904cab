"""The container's health check: exit code 0 if the daemon says it is alive. Standard library only, to start fast."""

import http.client
import sys
from urllib.parse import urlsplit

DEFAULT = "http://127.0.0.1:9877/healthz"
TIMEOUT_SECONDS = 4.0


def is_alive(url: str) -> bool:
    """Whether a GET of `url` answers 200. Raises OSError or HTTPException where nobody answers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT_SECONDS)
    connection.request("GET", parts.path)
    return connection.getresponse().status == http.HTTPStatus.OK


def main() -> int:
    url = sys.argv[1] if len(sys.argv) > 1 else DEFAULT
    try:
        return 0 if is_alive(url) else 1
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
