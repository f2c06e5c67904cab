"""apprise, in a process of its own: its senders block, and one that hangs is killed without harm to anything else.

One message a process: it comes as JSON on standard input, and what became of it leaves on standard output.
"""

import logging
import sys

import apprise
import msgspec

from monitor.notify.order import Fate, Order


class _LastWarning(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


def send(order: Order, warnings: _LastWarning) -> list[Fate]:
    return [_send(url, order, warnings) for url in order.urls]


def _send(url: str, order: Order, warnings: _LastWarning) -> Fate:
    warnings.text = ""
    way = apprise.Apprise()
    if not way.add(url):
        return Fate(ok=False, is_known=False, reason="no URL that apprise knows")
    if not order.text:
        return Fate(ok=True)  # asked only whether it can be read
    sent = way.notify(body=order.text, title=order.title, notify_type=order.tone, body_format=apprise.NotifyFormat.TEXT)
    return Fate(ok=bool(sent), reason="" if sent else warnings.text)


def main() -> None:
    warnings = _LastWarning()
    logger = logging.getLogger("apprise")
    logger.addHandler(warnings)
    logger.propagate = False
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    sys.stdout.buffer.write(msgspec.json.encode(send(order, warnings)))


if __name__ == "__main__":
    main()
