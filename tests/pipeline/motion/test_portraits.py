from pathlib import Path

import cv2
import imageio.v3 as iio
import numpy as np
import pytest
import skimage.data

from pipeline.errors import AssetError, RefusedError
from pipeline.faces.framing import frame_face
from pipeline.files import read_jsonl, write_jsonl
from pipeline.motion import portraits
from pipeline.params import parse_params
from pipeline.records import Person, PortraitPlan
from pipeline.store.store import Store
from pipeline.study import read_study
from pipeline.workspace import Workspace

ASTRONAUT = skimage.data.astronaut()


def test_an_unreadable_photograph_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(AssetError, match=r"a\.png cannot be read"):
        portraits.load_photograph(tmp_path, "a.png")


def test_a_photograph_from_a_folder_is_read(tmp_path):
    iio.imwrite(tmp_path / "a.png", ASTRONAUT)
    assert np.array_equal(portraits.load_photograph(tmp_path, "a.png"), ASTRONAUT)


def test_a_register_calls_no_other_function_of_scikit_image(tmp_path):
    with pytest.raises(AssetError, match="skimage:download_all is no photograph that is shipped"):
        portraits.load_photograph(tmp_path, "skimage:download_all")


NOBODY = Person(identity_id="identity-0", age=None, sex=None, ethnicity=None)
BAD = {
    "wall.png": "no face was found",
    "torn.png": "cannot be read",
    "gone.png": "not in the folder",
}


MAIN = read_study(Workspace(root=Path(__file__).parents[3]).study_file)


def given(source):
    return parse_params({"portraits": {"source": str(source)}})


def planned(file):
    return PortraitPlan(
        portrait_id=f"portrait-{file}", key=f"photo/{file}", person=NOBODY, licence="CC0",
        consent="yes", origin="own", file=file, clip=None,
    )  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_photograph_is_given_up_by_name_and_its_neighbours_are_made(tmp_path, bad):
    iio.imwrite(tmp_path / "wall.png", np.full((200, 200, 3), 128, np.uint8))
    (tmp_path / "torn.png").write_bytes((tmp_path / "wall.png").read_bytes()[:40])
    workspace, params = Workspace("toy", tmp_path / "w"), given(tmp_path)
    write_jsonl(workspace.plan, [planned(bad).row(), planned("skimage:astronaut").row()])
    jobs = portraits.jobs(workspace, MAIN, params)
    store = Store(tmp_path, "portraits")
    with pytest.raises(RefusedError, match=f"{bad}.*{BAD[bad]}") as refused:
        portraits.work(jobs, store)
    assert [store.has(job.key) for job in jobs] == [False, True]
    store.given_up[jobs[0].key] = str(refused.value)
    portraits.assemble(jobs, store, workspace)
    [row] = read_jsonl(workspace.portraits / "failed.jsonl")
    assert (row["portrait_id"], row["name"], row["file"]) == (
        f"portrait-{bad}", f"photo/{bad}", bad
    )  # fmt: skip
    assert BAD[bad] in row["reason"]
    assert [p.name for p in workspace.portraits.glob("*.png")] == ["portrait-skimage:astronaut.png"]


def test_a_photograph_that_was_missing_is_another_item_once_it_is_there(tmp_path):
    workspace, params = Workspace("toy", tmp_path / "w"), given(tmp_path)
    write_jsonl(workspace.plan, [planned("a.png").row()])
    [before] = portraits.jobs(workspace, MAIN, params)
    iio.imwrite(tmp_path / "a.png", ASTRONAUT)
    [after] = portraits.jobs(workspace, MAIN, params)
    assert before.key != after.key


def photographed(name, person):
    facts = Person(identity_id=person, age=None, sex=None, ethnicity=None)
    return PortraitPlan(portrait_id=f"portrait-{name}", key=f"photo/{name}", person=facts,
                        licence="CC0-1.0", consent="written 2025-03-01", origin="",
                        file=f"{name}.png", clip=None)  # fmt: skip


def copied():
    small = cv2.resize(ASTRONAUT[:400, 20:420], (400, 400), interpolation=cv2.INTER_AREA)
    coded = cv2.imencode(".jpg", np.ascontiguousarray(small[:, ::-1]), [1, 50])[1]
    return (cv2.imdecode(coded, 1) * 0.8).astype(np.uint8)


def test_one_picture_under_two_names_is_refused_unless_it_is_one_person():
    stills = [frame_face(picture, 128) for picture in (ASTRONAUT, copied())]
    one, other = photographed("a", "identity-a"), photographed("b", "identity-b")
    with pytest.raises(AssetError, match="photo/a and photo/b are one picture under two names"):
        portraits.refuse_twins([(one, stills[0]), (other, stills[1])])
    portraits.refuse_twins([(one, stills[0]), (photographed("b", "identity-a"), stills[1])])


def test_strangers_are_two_pictures_and_none_is_no_fault():
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3)).astype(np.uint8)
    still = frame_face(ASTRONAUT, 128)
    one, other = photographed("a", "identity-a"), photographed("b", "identity-b")
    portraits.refuse_twins([(one, still), (other, noise)])
    portraits.refuse_twins([])
