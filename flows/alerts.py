"""A run that ends is told where PALLOR_ALERT says: by mail, chat, phone or any web address.

Apprise, which Prefect brings, knows the addresses (`mailtos://`, `slack://`, `json://host:port`).
PALLOR_ALERT_ON is `failure` (the default: also when items were given up) or `all`.
"""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.errors import ParamsError
from pipeline.report.templates import counted

WHEN = ("failure", "all")


@dataclass
class End:
    """How a run ended; `lost` items were given up."""

    lost: int = 0


@contextmanager
def alerting(studies: str) -> Iterator[End]:
    """Tell how the block ended. An alert that cannot be sent is said and changes nothing.

    Raises ParamsError before the block for an address that Apprise does not know.
    """
    addresses, when = _asked()
    end, start = End(), time.monotonic()
    if not addresses:
        yield end
        return
    try:
        yield end
    except Exception as error:
        _tell(addresses, f"{studies}: failed", str(error) or type(error).__name__, start)
        raise
    if end.lost:
        lost = f"{counted(end.lost, 'item')} {'was' if end.lost == 1 else 'were'} given up"
        _tell(addresses, f"{studies}: incomplete", lost, start)
    elif when == "all":
        _tell(addresses, f"{studies}: done", "every stage is up to date", start)


def _asked() -> tuple[list[str], str]:
    """The addresses and when to tell them; ParamsError says what is wrong with them."""
    when = os.environ.get("PALLOR_ALERT_ON", WHEN[0])
    if when not in WHEN:
        raise ParamsError(f"PALLOR_ALERT_ON is '{when}'; it must be {' or '.join(WHEN)}")
    addresses = os.environ.get("PALLOR_ALERT", "").split()
    if addresses:
        from apprise import Apprise

        for number, address in enumerate(addresses, start=1):
            if not Apprise().add(address):  # not repeated: it may hold a password
                raise ParamsError(
                    f"PALLOR_ALERT: address {number} is none that Apprise knows (docs/alerts.md)"
                )
    return addresses, when


def _tell(addresses: list[str], title: str, body: str, start: float) -> None:
    from apprise import Apprise

    where = f"{socket.gethostname()}, after {time.monotonic() - start:.0f} s"
    sender = Apprise()
    for address in addresses:
        sender.add(address)
    if not sender.notify(title=f"Pallor {title}", body=f"{body}\n{where}"):
        print("PALLOR_ALERT: an alert could not be sent", file=sys.stderr, flush=True)
