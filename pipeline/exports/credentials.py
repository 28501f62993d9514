"""C2PA content credentials: clips that say of themselves that they are synthetic.

C2PA technical specification 2.2, written and read back by c2pa-python. Two signings of one clip
differ in bytes, so credentials are made at export and never inside a stage.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import ClipError
from pipeline.exports.certificate import Certificate
from pipeline.exports.library import library
from pipeline.exports.source import Source
from pipeline.exports.tables import clip_rows
from pipeline.exports.words import CREATOR
from pipeline.files import write_json, writing

# IPTC digital source types. An avatar is drawn by non-generative tools from hand-made meshes; a
# transferred clip is what a trained network makes of a still.
TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCE_TYPES = {"avatar": f"{TYPES}digitalCreation", "transfer": f"{TYPES}trainedAlgorithmicMedia"}
MADE = {
    "avatar": "Synthetic: rendered in Blender. The person does not exist.",
    "transfer": "Synthetic: a still face animated by a neural network. This was never filmed.",
}
LINEAGE = "pallor.lineage"
MIME = "video/mp4"


def write_credentials(source: Source, folder: Path, certificate: Certificate) -> None:
    """Fill `folder` with clips/<clip_id>.mp4, signed and read back, and credentials.json.

    Raises AssetError without c2pa-python, ClipError when a signed clip does not read back.
    """
    (folder / "clips").mkdir()
    if certificate.anchor:
        (folder / "authority.pem").write_text(certificate.anchor)
    states = {}
    for track, row in zip(source.tracks, clip_rows(source), strict=True):
        target = folder / "clips" / f"{track.clip_id}.mp4"
        sign(source.video(track), target, manifest(row, source), certificate)
        states[track.clip_id] = _checked(target, row, certificate)
    write_json(folder / "credentials.json", states)


def manifest(row: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """The C2PA manifest definition of a clip, given its row (`clip_rows`)."""
    maker = {"name": CREATOR, "version": source.release.version}
    kept = ("clip_id", "kind", "label", "identity_id", "driving_clip_id", "portrait_id", "licence",
            "consent", "origin", "seed", "video_sha256")  # fmt: skip
    lineage = {name: row[name] for name in kept} | {"revision": source.release.revision}
    created = {
        "action": "c2pa.created", "digitalSourceType": SOURCE_TYPES[row["kind"]],
        "softwareAgent": maker, "description": MADE[row["kind"]],
    }  # fmt: skip
    return {
        "title": f"{row['clip_id']}.mp4",
        "format": MIME,
        "claim_generator_info": [maker],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
            {"label": LINEAGE, "data": {**lineage, "notice": "Not a medical device."}},
        ],
    }


def sign(clip: Path, target: Path, definition: Mapping[str, Any], certificate: Certificate) -> None:
    """Write a signed copy of an mp4 `clip` to `target`; ClipError says why it cannot be signed."""
    c2pa = library("c2pa")
    pems = (certificate.chain.encode(), certificate.key.encode())
    info = c2pa.C2paSignerInfo(certificate.algorithm, *pems, None)
    settings = {"builder": {"thumbnail": {"enabled": False}}}  # else ten times the clip's size
    try:
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Context.from_dict(settings) as context,
            c2pa.Builder.from_json(json.dumps(definition), context) as builder,
            writing(target) as part,
        ):
            builder.sign_file(clip, part, signer)
    except c2pa.C2paError as error:
        raise ClipError(f"{clip} cannot be given content credentials: {error}") from error


def read_credentials(clip: Path, anchor: str | None = None) -> dict[str, Any]:
    """`state` (Trusted, Valid or Invalid) and active `manifest` of a signed mp4.

    Trusted needs the PEM `anchor` of its authority. Raises ClipError for a clip without
    credentials.
    """
    c2pa = library("c2pa")
    settings: dict[str, Any] = {"verify": {"verify_trust": anchor is not None}}
    if anchor:
        settings["trust"] = {"trust_anchors": anchor}
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            clip.open("rb") as stream,
            c2pa.Reader(MIME, stream, context=context) as reader,
        ):
            return {
                "state": reader.get_validation_state(), "manifest": reader.get_active_manifest(),
            }  # fmt: skip
    except c2pa.C2paError as error:
        raise ClipError(f"{clip} has no readable content credentials: {error}") from error


def _checked(clip: Path, row: Mapping[str, Any], certificate: Certificate) -> dict[str, Any]:
    found = read_credentials(clip, certificate.anchor)
    if found["state"] not in ("Trusted", "Valid"):
        raise ClipError(
            f"{clip} was signed, but its credentials are {found['state']}; try another key"
        )
    return {"state": found["state"], "source_type": SOURCE_TYPES[row["kind"]]}
