"""The settings stage: a study with every default, and the line's parameters as they are in it.

DVC asks each stage's own keys of this file. So a comment in a study's file runs nothing, a value
written out that was the default before runs nothing, and a changed value runs those who read it.
"""

from typing import Any

from pipeline.files import write_json
from pipeline.params import Params
from pipeline.study import Study
from pipeline.workspace import Workspace


def make(workspace: Workspace, study: Study, params: Params) -> None:
    """Write the settings of a study."""
    write_json(workspace.settings, settings(study, params))


def settings(study: Study, params: Params) -> dict[str, Any]:
    """`study` and `params` as plain values under these two names."""
    return {"study": study.model_dump(mode="json"), "params": params.model_dump(mode="json")}
