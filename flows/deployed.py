"""The flow that `prefect.yaml` deploys: `pallor run`, started by a schedule or from Prefect's page.

It holds the slot `gpu` of Prefect's global concurrency limits while it runs, where one is set, so
that runs of several workspaces take turns on a machine's card.
"""

import os
from pathlib import Path

from prefect import flow
from prefect.concurrency.sync import concurrency

from flows.corpus import failed_logs, require_complete, run_studies
from flows.studies import chosen
from pipeline.workspace import MAIN

SLOT = "gpu"


@flow(name="nightly")
def nightly(workspace: str = ".", study: str = MAIN) -> None:
    """Bring a study (or `all`) of a clone up to date; raises what `pallor run` says."""
    os.chdir(Path(workspace))
    with concurrency(SLOT, occupy=1, strict=False):
        run_studies(chosen(study))
    require_complete(failed_logs(chosen(study)))
