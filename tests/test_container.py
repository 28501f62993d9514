"""The Containerfile, read as it stands: no engine builds it here."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Containerfile").read_text()
TOOLS = {"git", "make"}  # a CI machine has them
BASE = {"libc6", "libgcc-s1", "libstdc++6"}  # of every Debian with Python
NOT_INSTALLED = {"test", "docs", "judge"}


def instructions():
    """(word, rest) of each instruction, comments and continued lines taken together."""
    lines = [line for line in TEXT.splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [line.split(maxsplit=1) for line in whole.splitlines() if line.strip()]


def packages():
    [run] = [rest for word, rest in instructions() if word == "RUN" and "apt-get" in rest]
    words = shlex.split(run)
    chosen = words[words.index("install") + 1 :]
    chosen = chosen[: chosen.index("&&")]
    return [word for word in chosen if not word.startswith("-")]


def of_ci():
    script = (ROOT / ".ci" / "run").read_text()
    return re.search(r"LIBRARIES=\((.*?)\)", script)[1].split()


def test_its_debian_packages_are_those_of_ci():
    assert [name for name in packages() if name not in TOOLS] == of_ci()


def test_it_follows_the_rules_that_linters_of_such_files_have():
    words = [word for word, _ in instructions()]
    assert words[0] == "FROM"
    assert set(words) <= {
        "FROM",
        "RUN",
        "ARG",
        "ENV",
        "WORKDIR",
        "COPY",
        "USER",
        "ENTRYPOINT",
        "CMD",
    }
    image = instructions()[0][1]
    assert ":" in image
    assert not image.endswith(":latest")
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert dict(instructions())["USER"] != "root"
    for word, rest in instructions():
        if word == "RUN":
            assert subprocess.run(["bash", "-n", "-c", rest], check=False).returncode == 0
            assert "sudo" not in rest
        if "apt-get" in rest:
            assert rest.startswith("apt-get update")  # in the same layer
            assert "--no-install-recommends" in rest
            assert rest.endswith("rm -rf /var/lib/apt/lists/*")
        if word in ("ENTRYPOINT", "CMD"):
            assert rest.startswith("[")  # signals reach it


def test_what_it_copies_is_there_and_every_lock_is_installed():
    for word, rest in instructions():
        if word == "COPY":
            *sources, _ = rest.split()
            assert all((ROOT / source).exists() for source in sources)
    locks = {path.name for path in ROOT.glob("requirements*.lock")}
    left = {f"requirements-{name}.lock" for name in NOT_INSTALLED}
    assert set(re.findall(r"--requirement (\S+)", TEXT)) == locks - left


def test_what_an_image_must_not_hold_is_left_out():
    left = (ROOT / ".containerignore").read_text().split()
    assert {".git", ".venv", ".pallor"} <= set(left)
    assert (ROOT / ".dockerignore").read_text() == (ROOT / ".containerignore").read_text()


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no Debian")
def test_the_packages_bring_every_library_that_blender_links_to():
    """Each system library behind bpy is of a package of the list, or of one that these ask for."""
    found = subprocess.run(
        [sys.executable, "-c", "import importlib.util as u; print(u.find_spec('bpy').origin)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    [module] = Path(found.stdout.strip()).parent.glob("__init__*.so")
    linked = subprocess.run(["ldd", module], capture_output=True, text=True, check=True).stdout
    assert "not found" not in linked
    libraries = {Path(p).resolve() for p in re.findall(r"=> (/(?:usr/)?lib/\S+)", linked)}
    owners = {owner for path in libraries for owner in owners_of(path)}
    assert len(owners) > 5
    assert owners <= with_what_they_ask_for({*of_ci(), *BASE})


def owners_of(path):
    """The packages of a file; dpkg may know it by the path before /lib became a link."""
    names = [path, Path("/") / path.relative_to("/usr")] if path.is_relative_to("/usr") else [path]
    query = ["dpkg-query", "-S", *map(str, names)]
    said = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    assert said, f"{path} is of no package"
    return {line.split(":")[0] for line in said.splitlines()}


def with_what_they_ask_for(names):
    known, new = set(), set(names)
    while new:
        known |= new
        query = ["dpkg-query", "-W", "-f=${Depends},${Pre-Depends},", *sorted(new)]
        said = subprocess.run(query, capture_output=True, text=True, check=False).stdout
        new = (
            {re.split(r"[ :(]", part.strip())[0] for part in re.split(r"[,|]", said)} - known - {""}
        )
    return known
