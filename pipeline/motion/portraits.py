"""The portraits stage: one still of every static face, framed as the motion model knows faces."""

from collections.abc import Sequence
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import skimage.data

from pipeline.closure import code_digest
from pipeline.corpus.render import render_specs, spec_of
from pipeline.errors import AssetError
from pipeline.faces.framing import frame_face, read_picture, to_rgb8
from pipeline.files import digest, file_digest, write_jsonl, writing, writing_folder
from pipeline.params import Params
from pipeline.records import PortraitPlan
from pipeline.store.store import Job, Store

_SHIPPED = "skimage:"  # a register's file that scikit-image's wheel carries
SHIPPED = ("skimage:astronaut",)


def jobs(portraits: Sequence[PortraitPlan], params: Params) -> list[Job]:
    """One job a portrait; a photograph's key holds the digest of its own bytes.

    Raises AssetError when a registered photograph is not in the folder.
    """
    root = Path(params.portraits.source)
    own = code_digest(__name__)
    return [
        Job(key=digest([own, *_inputs(p, root, params)]), name=p.key, item=(p, root, params))
        for p in portraits
    ]


def work(jobs: Sequence[Job], store: Store) -> None:
    """Make the chunk's stills: photographs are cropped here, stills rendered in Blender."""
    rendered = [job for job in jobs if job.item[0].clip]
    specs = [spec_of(job.item[0].clip) for job in rendered]
    pictures = (frames[0] for frames, _ in render_specs(specs, store.root, store))
    for job, picture in zip(rendered, pictures, strict=True):
        _keep(store, job, picture)
    for job in jobs:
        portrait, root, params = job.item
        if portrait.file:
            _keep(store, job, frame_face(load_photograph(root, portrait.file), params.plan.size))


def assemble(jobs: Sequence[Job], store: Store, out: Path) -> None:
    """Fill `out` with <portrait_id>.png and portraits.jsonl; failed.jsonl for those given up."""
    with writing_folder(out) as part:
        made, failed = store.sorted_out(jobs)
        if failed:
            rows = [{"portrait_id": job.item[0].portrait_id, "reason": why} for job, why in failed]
            write_jsonl(part / "failed.jsonl", rows)
        for job in made:
            still = store.path(job.key) / "still.png"
            (part / f"{job.item[0].portrait_id}.png").write_bytes(still.read_bytes())
        write_jsonl(part / "portraits.jsonl", [job.item[0].row() for job in made])


def load_photograph(root: Path, file: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a registered photograph: gray, alpha and 16-bit are converted.

    Raises AssetError when it is missing, no picture, or of more than PIXELS pixels.
    """
    if file.startswith(_SHIPPED):
        if file not in SHIPPED:  # other names there are functions that fetch or compute
            raise AssetError(f"{file} is no photograph that is shipped; known: {SHIPPED[0]}")
        return to_rgb8(getattr(skimage.data, file.removeprefix(_SHIPPED))())
    return read_picture(root / file)


def _inputs(portrait: PortraitPlan, root: Path, params: Params) -> list[object]:
    if portrait.clip:
        return [spec_of(portrait.clip)]
    file = portrait.file or ""
    if file.startswith(_SHIPPED):
        return [file, params.plan.size]
    if not (root / file).is_file():
        raise AssetError(f"{root / file} is in the register but not in the folder")
    return [file_digest(root / file), params.plan.size]


def _keep(store: Store, job: Job, picture: np.ndarray) -> None:
    with store.making(job.key) as folder, writing(folder / "still.png") as part:
        iio.imwrite(part, picture, extension=".png")
    store.log("made", name=job.name, portrait=job.item[0].portrait_id, key=job.key)
