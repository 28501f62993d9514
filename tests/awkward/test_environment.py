"""Awkward environments: proxies, logins, locales, homes, import paths, line ends, stray files."""

import os
import pty
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from flows import doctor, proxies
from flows.server import ServerError, prefect_server
from flows.workspace import home
from pipeline.errors import ParamsError, StageError
from pipeline.files import STRAYS, is_stray, tree_digest
from pipeline.params import parse_params

ROOT = Path(__file__).parents[2]
DEAD = "127.0.0.1:9"  # nobody listens at the discard port


class Api(BaseHTTPRequestHandler):
    """A Prefect API as far as it is asked here: healthy, and `status` and `body` to all else."""

    status, body, health = 200, b"[]", 200

    def answer(self):
        healthy = self.path.endswith("/health")
        known = "/csrf-token" not in self.path or self.status != 200
        self.send_response(self.health if healthy else self.status if known else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"true" if healthy else self.body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def api(monkeypatch):
    """Start an API with the given answers; its address, also as PREFECT_API_URL."""
    servers = []

    def start(**answers):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Told", (Api,), answers))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        url = f"http://127.0.0.1:{server.server_port}/api"
        monkeypatch.setenv("PREFECT_API_URL", url)
        return url

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def proxied(monkeypatch):
    """Every proxy variable names a proxy that is not there; `no_proxy` is set by the test."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://{DEAD}")
    for name in ("ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"socks5://{DEAD}")  # httpx cannot speak it: its package is extra
    return monkeypatch


def python(program, cwd=ROOT, **environment):
    """Exit code and all that a fresh Python says."""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=cwd, env={**os.environ, **environment},
        capture_output=True, check=False,
    )  # fmt: skip
    return run.returncode, (run.stdout + run.stderr).decode(errors="replace")


def test_loopback_is_asked_past_every_proxy(proxied, api, tmp_path):
    url = api()
    with prefect_server(tmp_path) as taken:
        assert taken == url
        assert not {name.lower() for name in os.environ} & set(proxies.PROXIES)
        assert httpx.get(f"{url}/health").status_code == 200
    assert os.environ["HTTP_PROXY"] == f"http://{DEAD}"


@pytest.mark.parametrize("given", [None, "", "example.org", "example.org, 127.0.0.1"])
def test_children_and_other_clients_spare_loopback_too(proxied, api, given):
    if given is not None:
        proxied.setenv("NO_PROXY", given)
    proxied.delenv("ALL_PROXY")
    proxied.delenv("all_proxy")
    url = api()
    program = f"import flows, httpx, urllib.request as r; r.urlopen('{url}/health'); "
    assert python(program + f"print(httpx.get('{url}/health').status_code)") == (0, "200\n")


def test_a_proxy_for_nobody_stays_so_and_others_keep_theirs(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("http_proxy", f"http://{DEAD}")
    proxies.spare_loopback()
    assert os.environ["no_proxy"] == "*"
    with proxies.direct("https://prefect.example.org/api"):
        assert os.environ["http_proxy"] == f"http://{DEAD}"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("where", ["status", "health"])
def test_a_server_that_wants_a_login_is_one_sentence(api, tmp_path, status, where):
    url = api(**{where: status})
    with pytest.raises(ServerError, match=f"{url} wants a login .HTTP {status}.*AUTH_STRING"):
        prefect_server(tmp_path).__enter__()


@pytest.mark.parametrize("answers", [{"status": 404}, {"body": b"<html>"}])
def test_a_server_that_is_no_prefect_is_one_sentence(api, tmp_path, answers):
    url = api(**answers)
    with pytest.raises(ServerError, match=f"{url} is no Prefect API.*ends in /api"):
        prefect_server(tmp_path).__enter__()


@pytest.mark.parametrize("locale", ["LC_ALL", "LANG", "LC_CTYPE"])
def test_texts_are_utf8_in_every_locale(tmp_path, locale):
    """The C locale with Python's own remedies off; it is ASCII, as Latin-1 and Turkish are not."""
    program = tmp_path / "program.py"
    program.write_text(
        "import sys; from pathlib import Path; from flows.program import begin; begin()\n"
        "Path(sys.argv[1]).write_text('Jürgen İ'); print(Path(sys.argv[1]).read_text())\n"
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    off = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, str(program), str(tmp_path / "text")], check=True, capture_output=True,
        env={**plain, **off, "LANG": "C", locale: "C"},
    ).stdout  # fmt: skip
    assert said.decode() == "Jürgen İ\n"
    assert (tmp_path / "text").read_bytes().decode() == "Jürgen İ"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_traceback(closed):
    program = "from flows.program import begin; begin(); from flows.stage import say_errors; "
    command = [sys.executable, "-c", program + "exit(say_errors(lambda: print('said')))"]
    run = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *command], cwd=ROOT, capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == ("" if closed.startswith((">", "<&- >")) else "said\n")


def test_what_a_terminal_cannot_print_is_escaped():
    program = "from flows.stage import say_errors; exit(say_errors(lambda: print('Jürgen')))"
    assert python(program, PYTHONIOENCODING="ascii") == (0, "J\\xfcrgen\n")


def test_packages_of_pythonpath_under_our_names_are_not_taken(tmp_path):
    import pallor

    for name in pallor.OURS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('another package')\n")
    program = (
        "import sys, pallor; sys.argv = ['pallor', '--version']\n"
        "try: pallor.main()\nexcept SystemExit: pass\n"
        "import flows, models.errors, pipeline, fomm.errors; print(flows.__file__)"
    )
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    code, said = python(program, cwd=tmp_path, PYTHONPATH=paths)
    assert (code, said.splitlines()[-1]) == (0, str(ROOT / "flows" / "__init__.py"))


def test_a_home_may_be_given_with_a_tilde_or_relative(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    for given, found in (("~/x", "me/x"), ("x", "x"), ("", ".pallor")):
        monkeypatch.setenv("PALLOR_HOME", given)
        assert home() == tmp_path / found
    monkeypatch.setenv("PALLOR_HOME", "~nobody-of-that-name/x")
    with pytest.raises(StageError, match="PALLOR_HOME is ~nobody-of-that-name/x"):
        home()
    for section, key in (("portraits", "source"), ("motion", "checkpoint")):
        with pytest.raises(ParamsError, match="write the folder out"):
            parse_params({section: {key: "~/x"}})


@pytest.mark.parametrize("place", ["file", "file/below", "~nobody-of-that-name/x"])
def test_a_home_that_cannot_be_is_one_sentence(tmp_path, place):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / ".dvc").mkdir()
    given = place if place.startswith("~") else str(tmp_path / place)
    program = "from flows.cli import main; exit(main(['assets']))"
    code, said = python(program, cwd=tmp_path, PALLOR_HOME=given, PYTHONPATH=str(ROOT))
    assert code == 2
    assert said.startswith("pallor: ")
    assert len(said.splitlines()) == 1


def test_a_folder_for_temporary_files_that_is_not_there_is_done_without(tmp_path):
    program = "import tempfile, pipeline.corpus.worker; print(tempfile.gettempdir())"
    code, said = python(program, TMPDIR=str(tmp_path / "gone"))
    assert code == 0, said
    assert Path(said.strip()).is_dir()


def test_the_doctor_says_what_to_do_outside_a_clone(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    fine, said = doctor.workspace()
    assert not fine
    assert "no dvc.yaml" in said
    assert "change into a clone" in said
    monkeypatch.setenv("PALLOR_HOME", "/dev/null/x")
    assert doctor.disk() == (
        False, "/dev/null is no folder that may be written; set PALLOR_HOME to one"
    )  # fmt: skip


def test_git_hands_out_every_file_byte_for_byte(tmp_path):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=false"]
    (tmp_path / "one").mkdir()
    shutil.copy(ROOT / ".gitattributes", tmp_path / "one")
    (tmp_path / "one" / "text.py").write_bytes(b"a\nb\n")
    (tmp_path / "one" / "other.csv").write_bytes(b"a\r\nb\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], cwd=tmp_path / "one", check=True)
    for value in ("true", "input"):
        clone = tmp_path / value
        command = ["git", "clone", "-q", "-c", f"core.autocrlf={value}", tmp_path / "one", clone]
        subprocess.run(command, check=True)
        for name in ("text.py", "other.csv"):
            assert (clone / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


LEFT = (
    ".DS_Store", "._face.py", "face.py~", "face.py.orig", "face.py.rej", ".face.py.swp",
    ".#face.py", "#face.py#", "face.bak", "Thumbs.db", "__pycache__/face.cpython-311.pyc",
    ".ipynb_checkpoints/face-checkpoint.py",
)  # fmt: skip


def test_what_systems_and_editors_leave_behind_changes_no_key_and_no_hash(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "face.py").write_text("one = 1\n")
    before = tree_digest(tmp_path / "code")
    for name in LEFT:
        path = tmp_path / "code" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("left behind\n")
        assert is_stray(Path(name))
    assert tree_digest(tmp_path / "code") == before
    (tmp_path / "code" / "new.py").write_text("two = 2\n")
    assert tree_digest(tmp_path / "code") != before


def test_dvc_ignores_the_same_and_nothing_that_git_has():
    assert set(STRAYS) <= set((ROOT / ".dvcignore").read_text().splitlines())
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    assert [name for name in files.splitlines() if is_stray(Path(name))] == []


def test_a_silent_command_says_on_a_terminal_what_it_waits_for():
    program = (
        "import time; from flows import patience; patience.QUIET, patience.TICK = 0.2, 0.05\n"
        "from flows.stage import say_errors\n"
        "def body():\n"
        "    with patience.waiting('the server starts, at most 300 s'): time.sleep(1)\n"
        "    print('done')\n"
        "exit(say_errors(body, 'pallor toy'))"
    )
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 1 << 16):
            said += part
    except OSError:  # how Linux tells that nobody writes any more
        os.close(ours)
    assert b"... the server starts, at most 300 s, 1 s" in said or b", 0 s" in said
    assert b"\r\x1b[Kdone\r\n" in said  # the line is gone before anything else is said
    assert said.endswith((b"done\r\n", b"\r\x1b[K"))  # or a late line, cleared
    assert python(program) == (0, "done\n")  # no terminal, no line
