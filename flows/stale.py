"""Flow runs whose process was killed: Prefect shows them running for ever unless told."""

import hashlib
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import State, StateType
from prefect.states import Crashed

UNFINISHED = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]


def workspace_tag() -> str:
    """The tag of this workspace's flow runs, so that a shared server's others are left alone."""
    return "pallor-" + hashlib.sha256(str(Path.cwd()).encode()).hexdigest()[:10]


def mark_stale() -> int:
    """Mark this workspace's unfinished flow runs as crashed; how many there were.

    Only for the holder of the workspace: whoever ran them is gone.
    """
    unfinished = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[workspace_tag()]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=UNFINISHED)),
    )
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=unfinished)
        for run in runs:
            state: State[None] = Crashed(message="The process that ran this is gone.")
            client.set_flow_run_state(run.id, state, force=True)
    return len(runs)
