"""Run `pallor forget` in the folder of each argument FOLDER:N, in turn, and die before change N.

Each run is a process of its own and its death SIGKILL's; N = 0 lets it live. Changes are counted by
Python's own audit events: files opened for writing, renamed, removed, and processes started. The
last line is a JSON list of [exit code, changes]. The stage runs themselves are a stand-in.
"""

import json
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


def forget(folder, last):
    """Exit code (-9: killed) and changes (0: killed) of one run, forked off this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), int(os.read(reading, 20) or 0)
    os.chdir(folder)
    seen = watch(last)
    code = main(["forget", "photo/astronaut", "--apply"])
    os.write(writing, str(seen[0]).encode())
    os._exit(code)


if __name__ == "__main__":
    # Imported once, not in every child.
    import models  # noqa: F401
    import pipeline.corpus.plan
    import pipeline.lineage.erase
    import pipeline.lineage.intent
    import pipeline.lineage.search  # noqa: F401
    from flows.cli import main

    sys.modules["flows.corpus"] = types.SimpleNamespace(run_studies=rerun)
    runs = [argument.rpartition(":") for argument in sys.argv[1:]]
    print(json.dumps([forget(folder, int(last)) for folder, _, last in runs]))
