"""Run `pallor forget` in the folder argv[1] and die, as by SIGKILL, before its argv[2]th change.

Changes are counted by Python's own audit events: files opened for writing, renamed, removed, and
processes started. The last line says how many there were. The run itself is a stand-in.
"""

import os
import signal
import sys
import types
from pathlib import Path

CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "shutil.rmtree", "subprocess.Popen"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def rerun(studies):
    """The plans without whoever is excluded, as the first stage writes them."""
    from pipeline.corpus.plan import make_plan
    from pipeline.files import write_jsonl
    from pipeline.params import load_params
    from pipeline.study_checks import open_study
    from pipeline.workspace import Workspace

    for files in map(Workspace, studies):
        rows = make_plan(open_study(files), load_params(), Path("portraits/register.csv"))
        write_jsonl(files.plan, [row.row() for row in rows])


def watch(last):
    """Count changes from here on; die before number `last`."""
    seen = [0]

    def hook(event, args):
        opens = event == "open" and isinstance(args[2], int) and args[2] & WRITES
        if opens or event in CHANGES:
            seen[0] += 1
            if seen[0] == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return seen


if __name__ == "__main__":
    from flows.cli import main

    os.chdir(sys.argv[1])
    sys.modules["flows.corpus"] = types.SimpleNamespace(run_studies=rerun)
    seen = watch(int(sys.argv[2]))
    code = main(["forget", "photo/astronaut", "--apply"])
    print(seen[0])
    sys.exit(code)
