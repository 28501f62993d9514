"""A stage tells an OpenLineage server that it starts, and how it ends, while the run goes on.

Only where the environment names a server (OPENLINEAGE_URL or OPENLINEAGE_CONFIG). The run has the
id that `pallor export openlineage` gives it later, with the hashes that are known by then.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from pipeline.stage import name_of


@contextmanager
def told(key: str, record: Mapping[str, Any]) -> Iterator[None]:
    """START before the block, COMPLETE or FAIL after it; `record` is the run record of the stage.

    A server that does not answer is said once, and the stage goes on.
    """
    if not any(name.startswith("OPENLINEAGE_") for name in os.environ):
        yield
        return
    from pipeline.stage import STAGES

    if name_of(key) not in STAGES:
        yield
        return
    teller = _Teller(key, record)
    teller.tell("START")
    try:
        yield
    except BaseException as error:
        teller.tell("FAIL", f"{type(error).__name__}: {error}")
        raise
    teller.tell("COMPLETE")


class _Teller:
    def __init__(self, key: str, record: Mapping[str, Any]) -> None:
        self.key, self.record = key, record
        self.silent = False

    def tell(self, state: str, error: str = "") -> None:
        if self.silent:
            return
        from pipeline.exports.openlineage import environment_client, live_event

        try:
            event = live_event(self.key, self.record, state, datetime.now(UTC), error)
            client = environment_client()
            assert client is not None
            client.emit(event)
            client.close()
        except Exception as problem:  # every transport has errors of its own
            self.silent = True
            said = str(problem) or type(problem).__name__
            print(f"OpenLineage: {self.key} is not told ({said})", file=sys.stderr, flush=True)
