import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StageError
from pipeline.lineage import lock

NAMES = st.text("ab/-.", min_size=1, max_size=5).filter(
    lambda n: "//" not in n and n.strip("/") == n
)

CLIPS = "data/deterioration/clips"


def test_hashes_are_dvcs_own(template):
    stages = lock.read_lock(template.root / "dvc.lock")
    made = lock.outs(stages)
    assert made["data/deterioration/plan.jsonl"] == lock.file_md5(template.files.plan)
    for path in (CLIPS, "data/deterioration/faces", "plots/deterioration"):
        assert lock.folder_hash(lock.hash_folder(template.root / path)) == made[path]


def test_params_come_by_dotted_name(template):
    stages = lock.read_lock(template.root / "dvc.lock")
    assert stages["split@deterioration"].params["seed"] == 5
    assert stages["portraits@deterioration"].params["plan.size"] == 48
    assert stages["plan@deterioration"].params["study.portraits"] == 3
    assert stages["faces@deterioration"].deps[CLIPS] == stages["render@deterioration"].outs[CLIPS]


def test_a_folders_list_is_found_in_cache_and_remote(template):
    md5 = lock.outs(lock.read_lock(template.root / "dvc.lock"))[CLIPS]
    for store in template.place.stores:
        assert lock.listing(md5, [store]) == lock.hash_folder(template.files.clips)
    assert lock.listing("00.dir", template.place.stores) is None


def test_every_object_of_the_cache_has_its_name(template):
    named = dict(lock.objects(template.place.cache))
    assert len(named) > 30
    assert all(lock.file_md5(path) == md5.removesuffix(".dir") for md5, path in named.items())


@given(st.dictionaries(NAMES, st.text("0123456789abcdef", min_size=32, max_size=32)))
def test_a_folders_hash_does_not_depend_on_order(files):
    backwards = dict(reversed(list(files.items())))
    assert lock.folder_hash(files) == lock.folder_hash(backwards)


@pytest.mark.parametrize("text", ["", "stages", "stages: {a: 1}", "a: [", "schema: '2.0'"])
def test_what_is_no_lock_is_one_sentence(text):
    with pytest.raises(StageError, match="here is no lock file of DVC"):
        lock.parse_lock(text, "here")


def test_a_stage_without_params_or_outs_has_none():
    text = yaml.safe_dump({"stages": {"a": {"cmd": "true"}}})
    assert lock.parse_lock(text) == {"a": lock.Stage("true", {}, {}, {})}
    assert lock.outs(lock.parse_lock(text)) == {}
