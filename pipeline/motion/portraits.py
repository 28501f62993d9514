"""The portraits stage: one still of every static face, framed as the motion model knows faces."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import imageio.v3 as iio
import numpy as np
import skimage.data

from pipeline.closure import code_digest
from pipeline.corpus.planned import read_plan
from pipeline.corpus.render import render_specs, spec_of
from pipeline.errors import AssetError, PallorError, RefusedError
from pipeline.faces.framing import frame_face
from pipeline.faces.upright import upright_picture
from pipeline.files import digest, file_digest, write_jsonl, writing, writing_folder
from pipeline.media.likeness import SAME, finalists, framings, likeness, looks, nearness, shrink
from pipeline.media.pictures import read_picture, to_rgb8
from pipeline.records import PortraitPlan
from pipeline.store.store import Job, Store, make_each

if TYPE_CHECKING:  # who only names a type does not depend on its code
    from pipeline.params import Params
    from pipeline.study import Study
    from pipeline.workspace import Workspace

_SHIPPED = "skimage:"  # a register's file that scikit-image's wheel carries
SHIPPED = ("skimage:astronaut",)


def jobs(workspace: "Workspace", study: "Study", params: "Params") -> list[Job]:
    """One job a planned portrait; a photograph's key holds the digest of its bytes, if any."""
    del study
    root, size = workspace.root / params.portraits.source, params.plan.size
    own = code_digest(__name__)
    return [
        Job(key=digest([own, *_inputs(p, root, size)]), name=p.key, item=(p, root, size))
        for p in read_plan(workspace.plan).portraits
    ]


def work(jobs: Sequence[Job], store: Store) -> None:
    """Make the chunk's stills: photographs are cropped here, stills rendered in Blender.

    Raises RefusedError, the others made, for a photograph that is missing or cannot be framed.
    """
    rendered = [job for job in jobs if job.item[0].clip]
    specs = [spec_of(job.item[0].clip) for job in rendered]
    pictures = (frames[0] for frames, _ in render_specs(specs, store.root, store))
    for job, picture in zip(rendered, pictures, strict=True):
        _keep(store, job, picture)
    make_each([job for job in jobs if job.item[0].file], lambda job: _frame(store, job))


def assemble(jobs: Sequence[Job], store: Store, workspace: "Workspace") -> None:
    """Write <portrait_id>.png and portraits.jsonl; failed.jsonl for those given up.

    Raises AssetError when photographs of two people are one picture.
    """
    made, failed = store.sorted_out(jobs)
    photographs = [job for job in made if job.item[0].file]
    refuse_twins([
        (job.item[0], iio.imread(store.path(job.key) / "still.png")) for job in photographs
    ])  # fmt: skip
    with writing_folder(workspace.portraits) as part:
        if failed:
            rows = [_lost(job.item[0], why) for job, why in failed]
            write_jsonl(part / "failed.jsonl", rows)
        for job in made:
            still = store.path(job.key) / "still.png"
            (part / f"{job.item[0].portrait_id}.png").write_bytes(still.read_bytes())
        write_jsonl(part / "portraits.jsonl", [job.item[0].row() for job in made])


def refuse_twins(stills: Sequence[tuple[PortraitPlan, np.ndarray]]) -> None:
    """Raise AssetError when stills (size, size, 3) uint8 of two people are one picture.

    They are compared as the split's proof compares crops: coded anew, scaled, mirrored or cropped
    copies are found (`pipeline.media.likeness`).
    """
    greys = [shrink(picture) for _, picture in stills]
    for number, (portrait, _) in enumerate(stills[1:], start=1):
        near, how = nearness(framings(greys[number]), looks(np.stack(greys[:number])))
        person = portrait.person.identity_id
        near[[other.person.identity_id == person for other, _ in stills[:number]]] = 0
        for n in finalists(near):
            value = likeness(greys[number], greys[n], int(how[n]))
            if value > SAME:
                raise AssetError(
                    f"{stills[n][0].key} and {portrait.key} are one picture under two names (alike "
                    f"by {value:.3f}, strangers by less than {SAME}); remove a row of the "
                    "register, or give both one name in its column person"
                )


def load_photograph(root: Path, file: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a registered photograph: gray, alpha and 16-bit are converted.

    Raises AssetError when it is missing, no picture, or of more than PIXELS pixels.
    """
    if file.startswith(_SHIPPED):
        if file not in SHIPPED:  # other names there are functions that fetch or compute
            raise AssetError(f"{file} is no photograph that is shipped; known: {SHIPPED[0]}")
        return to_rgb8(getattr(skimage.data, file.removeprefix(_SHIPPED))())
    return read_picture(root / file)


def _inputs(portrait: PortraitPlan, root: Path, size: int) -> list[object]:
    if portrait.clip:
        return [spec_of(portrait.clip)]
    file = portrait.file or ""
    if file.startswith(_SHIPPED):
        return [file, size]
    try:
        return [file_digest(root / file), size]
    except OSError:  # missing or not to be read: `work` says which
        return [file, None, size]


def _lost(portrait: PortraitPlan, reason: str) -> dict[str, str | None]:
    names = {"portrait_id": portrait.portrait_id, "name": portrait.key, "file": portrait.file}
    return names | {"reason": reason}


def _frame(store: Store, job: Job) -> None:
    portrait, root, size = job.item
    if not portrait.file.startswith(_SHIPPED) and not (root / portrait.file).exists():
        raise RefusedError(f"{root / portrait.file} is in the register but not in the folder")
    try:
        picture, note = upright_picture(load_photograph(root, portrait.file))
        framed = frame_face(picture, size)
    except PallorError as error:
        raise RefusedError(f"{portrait.file} is no portrait: {error}") from error
    if note:
        store.log("upright", name=job.name, file=portrait.file, note=note)
        print(f"{portrait.file}: {note}", flush=True)
    _keep(store, job, framed)


def _keep(store: Store, job: Job, picture: np.ndarray) -> None:
    with store.making(job.key) as folder, writing(folder / "still.png") as part:
        iio.imwrite(part, picture, extension=".png")
    store.log("made", name=job.name, portrait=job.item[0].portrait_id, key=job.key)
