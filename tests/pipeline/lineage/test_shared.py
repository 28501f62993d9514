"""A cache, a remote or a home that others use: theirs stays byte for byte, ours goes."""

import re
import shutil
import sys
from pathlib import Path

import imageio.v3 as iio
import pytest
from PIL import Image

from flows.cache import repair_cache
from flows.cli import main
from flows.repro import drop_empty_run_caches
from flows.stores import place
from pipeline.lineage import looks
from pipeline.lineage.erase import going
from pipeline.lineage.lock import listing, object_path, objects, outs, read_lock
from pipeline.lineage.removal import find_subject, plan_removal

SECOND = "stages: {cut: {cmd: cp holiday.bmp cut.bmp, deps: [holiday.bmp], outs: [cut.bmp]}}"


@pytest.fixture
def levels(monkeypatch, tmp_path):
    """A folder for DVC's settings of the machine and of the user."""
    for level in ("system", "global"):
        (tmp_path / level).mkdir()
        monkeypatch.setenv(f"DVC_{level.upper()}_CONFIG_DIR", str(tmp_path / level))
    return tmp_path


def keep_cache_at(made, folder, config):
    """Move the clone's cache to `folder` and tell DVC in `config`."""
    shutil.move(made.root / ".dvc/cache", folder)
    made.place.root.joinpath(config).parent.mkdir(exist_ok=True)
    with (made.root / config).open("a") as text:
        text.write(f"\n[cache]\n    dir = {folder}\n")


def second_project(made, folder, cache):
    """Another project on the same cache: its own file, a picture of the subject, a run."""
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc/config").write_text(f"[core]\n    no_scm = true\n[cache]\n    dir = {cache}\n")
    (folder / "theirs.txt").write_text("their only copy")
    portrait = next(p for p in made.plan.portraits if p.file)
    still = Image.open(made.files.portraits / f"{portrait.portrait_id}.png")
    still.resize((96, 96)).save(folder / "holiday.bmp")
    (folder / "dvc.yaml").write_text(SECOND)
    for command in (["add", "--quiet", "theirs.txt"], ["repro", "--quiet"]):
        made.run("env", "-C", str(folder), sys.executable, "-m", "dvc", *command)
    shutil.rmtree(folder)  # what lies in the cache is its only copy


def content(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def counted(text):
    """Files by place, as the dry run says."""
    line = next(line for line in text.splitlines() if line.startswith("files that go"))
    return {name: int(n) for n, name in re.findall(r"(\d+) from the ([\w: ]+?)[,;]", line)}


def test_another_projects_objects_survive_in_a_shared_cache(made, levels, monkeypatch, capsys):
    cache = levels / "shared"
    ours = set(content(made.root / ".dvc/cache"))
    keep_cache_at(made, cache, ".dvc/config.local")
    second_project(made, levels / "second", cache)
    everything = content(cache)
    theirs = {p: text for p, text in everything.items()
              if made.root / ".dvc/cache" / p.relative_to(cache) not in ours}  # fmt: skip
    assert len(theirs) >= 3
    monkeypatch.chdir(made.root)
    assert main(["forget", "photo/astronaut"]) == 0
    said = capsys.readouterr().out
    before = content(made.root.parent)
    assert f"cache, {cache}, is outside this clone: {len(theirs) - 1} objects that no" in said
    assert main(["forget", "photo/astronaut", "--apply", "--no-run"]) == 0
    assert "lie outside it, with their owners" in capsys.readouterr().out
    after = content(made.root.parent)
    assert {path: after.get(path) for path in theirs} == theirs
    gone = (
        before.keys() - after.keys() - {made.root / ".dvc/tmp/pallor-lineage-deterioration.duckdb"}
    )
    remote = made.place.remotes["store"]
    places = {"cache": cache, "remote:store": remote, "workspace": made.root}
    found = {name: sum(p.is_relative_to(at) for p in gone) for name, at in places.items()}
    assert found == counted(said)
    assert sum(found.values()) == len(gone)


@pytest.mark.parametrize("config", ["../system/config", "../global/config", ".dvc/config"])
def test_dvc_says_where_the_cache_is_at_every_level(made, levels, monkeypatch, capsys, config):
    cache = levels / "elsewhere"
    keep_cache_at(made, cache, config)
    if config.startswith(".dvc"):
        made.commit("The cache is elsewhere")
    monkeypatch.chdir(made.root)
    assert place().cache == cache
    gone = plan_removal(made.place, find_subject(made.place, "photo/astronaut")).objects
    assert gone & {md5 for md5, _ in objects(cache)}
    assert main(["verify"]) == 0
    assert f"and {len(list(objects(cache)))} objects of the cache" in capsys.readouterr().out
    victim = sorted(cache.glob("files/md5/??/*"))[5]
    kept = victim.read_bytes()
    victim.chmod(0o644)
    victim.write_bytes(kept + b"x")
    assert main(["verify"]) == 2
    assert f"altered cache: {victim}" in capsys.readouterr().out
    victim.write_bytes(kept)
    assert main(["forget", "photo/astronaut", "--apply", "--no-run"]) == 0
    assert "frames of them) and by name: nothing is left" in capsys.readouterr().out
    assert not gone & {md5 for md5, _ in objects(cache)}


def test_a_remote_that_is_not_there_was_not_searched(made, levels, monkeypatch):
    for name, url in (("far", "ssh://127.0.0.1:9/x"), ("gone", f"{levels}/not-mounted")):
        with (made.root / ".dvc/config").open("a") as text:
            text.write(f"['remote \"{name}\"']\n    url = {url}\n")
    monkeypatch.chdir(made.root)
    assert list(place().remotes) == ["store"]
    assert place().unreached == {"far": "ssh://127.0.0.1:9/x", "gone": f"{levels}/not-mounted"}


def test_a_cache_lent_to_a_group_and_a_linked_one_are_not_the_clones_own(made, levels, monkeypatch):
    monkeypatch.chdir(made.root)
    assert place().owns(place().cache)
    (made.root / ".dvc/config.local").write_text("[cache]\n    shared = group\n")
    assert not place().owns(place().cache)
    (made.root / ".dvc/config.local").unlink()
    shutil.move(made.root / ".dvc/cache", levels / "shared")
    (made.root / ".dvc/cache").symlink_to(levels / "shared")
    assert not place().owns(place().cache)


def test_verify_never_praises_a_cache_it_did_not_check(made, levels, monkeypatch, capsys):
    monkeypatch.chdir(made.root)
    shutil.rmtree(made.root / ".dvc/cache")
    assert main(["verify"]) == 0
    said = capsys.readouterr().out
    assert "no object was checked: the cache, .dvc/cache, has none" in said
    assert "nothing was altered" not in said


def test_what_other_workspaces_made_in_a_shared_home_stays(made, levels, monkeypatch, capsys):
    home = levels / "home"
    monkeypatch.setenv("PALLOR_HOME", str(home))
    portrait = next(p for p in made.plan.portraits if p.file)
    still = made.files.portraits / f"{portrait.portrait_id}.png"
    names = ("portraits/00/" + "0" * 64, "portraits/11/" + "1" * 64, "train/22/" + "2" * 64)
    own, alike, trained = (home / "work" / name for name in names)
    for item in (own, alike, trained):
        item.mkdir(parents=True)
    shutil.copy(still, own / "still.png")
    iio.imwrite(alike / "still.bmp", iio.imread(still))
    (trained / "model.safetensors").write_bytes(b"another project's weights")
    (home / "work/portraits.log.jsonl").write_text(
        f'{{"key":"{"1" * 64}","name":"photo/astronaut"}}\n'
    )
    (home / "prefect").mkdir()
    (home / "prefect/prefect.db").write_text("everybody's runs")
    (home / "demo").mkdir()
    monkeypatch.chdir(made.root)
    assert main(["forget", "photo/astronaut", "--apply", "--no-run"]) == 0
    assert f"{home} is outside this clone" in capsys.readouterr().out
    assert not own.exists()
    assert (alike / "still.bmp").exists()
    assert (trained / "model.safetensors").exists()
    assert (home / "prefect/prefect.db").exists()
    assert (home / "demo").exists()


def test_a_run_removes_what_rotted_of_ours_alone(made, levels, monkeypatch, capsys):
    cache = levels / "shared"
    keep_cache_at(made, cache, ".dvc/config.local")
    monkeypatch.chdir(made.root)
    md5 = listing(outs(read_lock(Path("dvc.lock")))["data/deterioration/clips"], [cache])
    ours = object_path(cache, next(iter(md5.values())))
    theirs = object_path(cache, "0" * 32)
    theirs.parent.mkdir(exist_ok=True)
    ours.chmod(0o644)
    for path in (ours, theirs):
        path.write_bytes(b"rotten")
    (cache / "runs/aa" / ("a" * 64)).mkdir(parents=True)  # another DVC is about to fill it
    assert repair_cache() == ["data/deterioration/clips"]
    assert "1 file had rotted" in capsys.readouterr().out
    assert not ours.exists()
    assert not Path("data/deterioration/clips").exists()
    assert theirs.exists()
    drop_empty_run_caches()
    assert (cache / "runs/aa" / ("a" * 64)).is_dir()


def test_twins_made_to_look_at_go_with_the_clip_they_show(made):
    removal = plan_removal(made.place, find_subject(made.place, "photo/astronaut"))
    mine = next(iter(sorted(name for name in removal.names if name.startswith("transfer-"))))
    folder = made.place.home / "look" / "deterioration-transferred"
    folder.mkdir(parents=True)
    for name in (mine, "transfer-other"):
        (folder / f"{name}.1-2.mp4").write_bytes(b"twin")
    gone = going(made.place, removal, looks.NONE)["twins"]
    assert [part.path for part in gone] == [str(folder / f"{mine}.1-2.mp4")]
