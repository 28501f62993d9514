"""What a release hands out beside its tag, so that strangers can check it with their own tools.

Below `.pallor/releases/<tag>/`: `sbom.cdx.json` and `ml-bom.cdx.json` (CycloneDX), and for each
folder of models a signature of OpenSSF model-signing, which `model_signing verify key` checks.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipeline.files import file_digest, write_json
from pipeline.lineage import bom
from pipeline.lineage.corpus import Place
from pipeline.lineage.sign import write_key
from pipeline.study_checks import known_studies

KEY = Path("keys/models.pem")  # below the home folder; ECDSA, as model-signing wants it
PUBLIC = "models.pub"
MISSING = (
    "models are not signed for strangers, because model-signing is not installed; "
    "`pip install --no-deps --requirement requirements-release.lock`, then release the next version"
)


def hand_out(place: Place, tag: str) -> tuple[Path, list[dict[str, Any]], str]:
    """Write the files of a release; their folder, a row a file for its statement, and a note.

    The note is empty, or says why nothing was signed. A row is SLSA's `name` and `digest`.
    """
    folder = place.home / "releases" / tag
    write_json(folder / "sbom.cdx.json", bom.software(place, tag))
    write_json(folder / "ml-bom.cdx.json", bom.models(place, tag))
    note = MISSING if find_spec("model_signing") is None else ""
    if not note:
        _sign_models(place, folder)
    files = sorted(path for path in folder.iterdir() if path.is_file())
    rows: list[dict[str, Any]] = [
        {"name": path.name, "digest": {"sha256": file_digest(path)}} for path in files
    ]
    return folder, rows, note


def model_folders(place: Place) -> dict[str, Path]:
    """The folders of models by the names of their signatures."""
    studies = {name: place.files(name).models for name in known_studies(place.root)}
    found = {"checkpoints": place.root / "checkpoints", **studies}
    return {name: path for name, path in found.items() if path.is_dir() and any(path.rglob("*.*"))}


def _sign_models(place: Place, folder: Path) -> None:
    import model_signing  # the extra `release`

    key = place.home / KEY
    public = _public_key(key)
    (folder / PUBLIC).write_bytes(public)
    for name, path in model_folders(place).items():
        signer = model_signing.signing.Config().use_elliptic_key_signer(private_key=key)
        signer.sign(path, folder / f"{name}.models.sig")


def _public_key(path: Path) -> bytes:
    """The PEM text of the public half; a key is made where there is none."""
    if not path.is_file():
        write_key(path, ec.generate_private_key(ec.SECP256R1()))
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
