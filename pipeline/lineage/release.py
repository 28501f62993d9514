"""`release`: a version under a name, with a signed statement of what it consists of.

The statement (in-toto, with SLSA's provenance predicate) names every table and folder by SHA-256,
because DVC's MD5 keeps accidents out but not a forger. It travels in the annotated git tag.
"""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.errors import StageError
from pipeline.files import digest, file_digest
from pipeline.lineage import history
from pipeline.lineage.checks import Finding
from pipeline.lineage.corpus import LOCK, PARAMS, Place
from pipeline.lineage.handout import hand_out
from pipeline.lineage.lock import Stage, outs, read_lock
from pipeline.lineage.sign import Envelope, load_key, open_envelope, sign
from pipeline.lineage.stamp import said_time, stamped

VERSION = re.compile(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?")
KEY = Path("keys/release.pem")  # below the home folder, outside git


class Released(NamedTuple):
    """A release's tag, its signer's fingerprint, the `folder` of what is handed out beside it.

    `note` says why models are not signed for strangers; empty where they are.
    """

    tag: str
    signer: str
    folder: Path
    note: str


def release(
    place: Place, version: str, key: Path | None = None, authority: str | None = None
) -> Released:
    """Tag the commit as v<version> with a signed attestation, and write what goes out with it.

    `authority` is the address of a time authority (TSA), asked when one is named. Raises
    StageError for a name that is no version, a tag that exists, a tree that differs from its commit
    or from its lock, and an authority that gives no time.
    """
    if not VERSION.fullmatch(version):
        raise StageError(f"'{version}' is no version; it looks like 1.0.0 or 1.0.0-rc.1")
    tag = f"v{version}"
    if history.git(place.root, "tag", "--list", tag):
        raise StageError(f"{tag} exists already; a release is never changed, take the next number")
    dirty = history.changes(place.root)
    if dirty:
        raise StageError(
            f"the tree is dirty ({', '.join(dirty[:3])}{' ...' if len(dirty) > 3 else ''}); "
            "commit or remove the changes, then release"
        )
    folder, rows, note = hand_out(place, tag)
    envelope = sign(statement(place, version, rows), load_key(key or place.home / KEY))
    if authority:
        envelope = stamped(envelope, authority)
    message = f"Pallor dataset {version}\n\n{json.dumps(envelope, indent=1)}\n"
    history.git(place.root, "tag", "--annotate", tag, "--message", message)
    return Released(tag, envelope["signatures"][0]["keyid"], folder, note)


def statement(place: Place, version: str, byproducts: list[dict[str, Any]]) -> dict[str, Any]:
    """What the version consists of and was made from, as an in-toto statement.

    `byproducts` are the files that go out with it, each with `name` and `digest`.
    """
    lock = read_lock(place.root / LOCK)
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": name, "digest": {"sha256": sha256}}
            for name, sha256 in subjects(place.root, lock).items()
        ],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "dvc repro",
                "externalParameters": {"version": version, "params": file_digest(
                    place.root / PARAMS)},
                "resolvedDependencies": [
                    {"uri": "git", "digest": {"gitCommit": history.commit(place.root, "HEAD")}}
                ],
            },
            "runDetails": {"builder": {"id": "pallor"}, "byproducts": byproducts},
        },
    }  # fmt: skip


def subjects(root: Path, lock: dict[str, Stage]) -> dict[str, str]:
    """SHA-256 by name: `dvc.lock`, every output that is a file, and every output folder.

    A folder's is the digest of [name, SHA-256] of its files, sorted. A missing output raises
    StageError.
    """
    found = {str(LOCK): file_digest(root / LOCK)}
    for path in sorted(outs(lock)):
        if not (root / path).exists():
            raise StageError(f"{path} is in {LOCK} but not here; `dvc checkout` brings it")
        found[path] = _sha256(root / path)
    return found


def verify_release(place: Place, version: str) -> tuple[str, list[Finding]]:
    """The signer's fingerprint, and what here is not what the release's attestation states.

    Raises StageError without such a release, AssetError for a signature that does not fit.
    """
    stated, signer = open_envelope(read_attestation(place.root, version))
    now = subjects(place.root, read_lock(place.root / LOCK))
    then = {row["name"]: row["digest"]["sha256"] for row in stated["subject"]}
    findings = [
        Finding("not as released", name, f"SHA-256 {now.get(name, 'none')}, released {sha256}")
        for name, sha256 in then.items()
        if now.get(name) != sha256
    ]
    findings += [
        Finding("not as released", name, f"the attestation of {version} does not name it")
        for name in now.keys() - then.keys()
    ]
    commit = stated["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"]
    tagged = history.commit(place.root, f"v{version}")
    if commit["gitCommit"] != tagged:
        detail = f"points at {tagged[:10]}, the attestation is of {commit['gitCommit'][:10]}"
        findings.append(Finding("moved tag", f"v{version}", detail))
    return signer, findings


def released_at(root: Path, version: str, roots: Path | None = None) -> str | None:
    """When a release was there, by its time authority; None where none was asked.

    `roots` are PEM certificates that vouch for authorities. Raises AssetError for a stamp that does
    not hold.
    """
    return said_time(read_attestation(root, version), roots)


def read_attestation(root: Path, version: str) -> Envelope:
    """The envelope in the message of a release's tag; StageError when there is none."""
    tag = f"v{version}"
    if not history.git(root, "tag", "--list", tag):
        known = history.git(root, "tag", "--list", "v*").split()
        raise StageError(f"there is no release {version}; known: {', '.join(known) or 'none'}")
    message = history.git(root, "tag", "--list", "--format=%(contents)", tag)
    try:
        envelope: Envelope = json.loads(message[message.index("{") :])
    except ValueError as error:
        raise StageError(f"the tag {tag} carries no attestation; it was not made here") from error
    return envelope


def _sha256(path: Path) -> str:
    if path.is_file():
        return file_digest(path)
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return digest([[p.relative_to(path).as_posix(), file_digest(p)] for p in files])
