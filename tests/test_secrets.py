"""What must never be: pickles that run code, open ports, keys in what git or a run record holds."""

import ast
import json
import subprocess
import sys
from pathlib import Path

from pipeline.store.runs import recording

ROOT = Path(__file__).parents[1]
FOLDERS = ("avatars", "fomm", "models", "pipeline", "flows", "benchmarks")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
UNSAFE = {"pickle.load", "pickle.loads", "joblib.load", "yaml.load", "yaml.unsafe_load", "eval",
          "exec", "os.system", "dill.load", "cloudpickle.load", "cloudpickle.loads"}  # fmt: skip


def calls():
    """File, name and keyword arguments of every call in the project."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                given = {k.arg: ast.unparse(k.value) for k in node.keywords}
                yield str(path.relative_to(ROOT)), ast.unparse(node.func), given


def test_nothing_unpickles_or_evaluates():
    assert [(path, name) for path, name, _ in calls() if name in UNSAFE] == []


def test_checkpoints_and_arrays_are_read_without_code():
    loads = [(path, given) for path, name, given in calls() if name == "torch.load"]
    assert loads
    assert [path for path, given in loads if given.get("weights_only") != "True"] == []
    arrays = [(path, given) for path, name, given in calls() if name == "np.load"]
    assert [path for path, given in arrays if given.get("allow_pickle", "False") != "False"] == []


def test_no_server_is_opened_to_the_network():
    assert [path.name for path in SOURCES if "0.0.0.0" in path.read_text()] == []


def test_a_run_record_holds_no_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-4711")
    with recording(tmp_path, "corpus"):
        pass
    [record] = tmp_path.glob("*.json")
    assert "hush-4711" not in record.read_text()
    assert not {"environment", "environ", "env"} & json.loads(record.read_text()).keys()


def test_keys_of_a_remote_stay_out_of_what_git_sees(tmp_path):
    dvc = [sys.executable, "-m", "dvc"]

    def do(*command):
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)

    do("git", "init", "-q")
    do(*dvc, "init", "-q")
    do(*dvc, "remote", "add", "store", "s3://bucket/corpus")
    do(*dvc, "remote", "modify", "--local", "store", "secret_access_key", "hush-4711")
    assert "hush-4711" in (tmp_path / ".dvc/config.local").read_text()
    do("git", "add", "-A")
    assert "hush-4711" not in do("git", "diff", "--cached").stdout


def test_the_committed_configuration_holds_no_key():
    committed = (ROOT / ".dvc" / "config").read_text()
    assert not [word for word in ("secret", "access_key", "password", "token") if word in committed]
