"""What every test leaves behind as it found it."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _log_of_its_own() -> Iterator[None]:
    """A command run in the test's process sets the log up on a standard error that is gone when the test ends."""
    yield
    structlog.reset_defaults()
