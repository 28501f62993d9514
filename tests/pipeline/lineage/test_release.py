import json

import pytest

from pipeline.errors import AssetError, StageError
from pipeline.lineage import diff, release, sign


def flags(made):
    return [finding.text() for finding in release.verify_release(made.place, "1.0.0")[1]]


def identify(made):
    made.run("git", "config", "user.name", "a")
    made.run("git", "config", "user.email", "a@example.org")


@pytest.fixture
def released(made):
    identify(made)
    tag, signer, *_ = release.release(made.place, "1.0.0")
    return made, tag, signer


def test_a_release_is_an_annotated_tag_that_verifies(released):
    made, tag, signer = released
    assert made.run("git", "cat-file", "-t", tag).strip() == "tag"
    assert release.verify_release(made.place, "1.0.0") == (signer, [])
    key = made.place.home / release.KEY
    assert key.stat().st_mode & 0o777 == 0o600
    assert made.run("git", "status", "--porcelain") == ""


def test_the_attestation_names_every_output_by_sha256(released):
    made, *_ = released
    stated, _ = sign.open_envelope(release.read_attestation(made.root, "1.0.0"))
    named = {row["name"]: row["digest"]["sha256"] for row in stated["subject"]}
    assert {
        "dvc.lock",
        "data/deterioration/plan.jsonl",
        "data/deterioration/clips",
        "data/deterioration/models",
    } <= named.keys()
    assert all(len(digest) == 64 for digest in named.values())
    commit = made.run("git", "rev-parse", "HEAD").strip()
    [source] = stated["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source["digest"]["gitCommit"] == commit


def test_a_byte_altered_after_the_release_is_named(released):
    made, *_ = released
    victim = sorted((made.files.clips).iterdir())[0]
    victim.write_bytes(victim.read_bytes() + b"x")
    [line] = flags(made)
    assert line.startswith("not as released: data/deterioration/clips: SHA-256")


def test_a_moved_tag_is_named(released):
    made, tag, _ = released
    message = made.run("git", "tag", "--list", "--format=%(contents)", tag)
    made.run("git", "commit", "--allow-empty", "--quiet", "--message", "later")
    made.run("git", "tag", "--force", "--annotate", tag, "--message", message)
    [line] = flags(made)
    assert line.startswith("moved tag: v1.0.0: points at")


def test_a_forged_attestation_is_refused(released):
    made, *_ = released
    envelope = release.read_attestation(made.root, "1.0.0")
    stated, _ = sign.open_envelope(envelope)
    stated["subject"][0]["digest"]["sha256"] = "0" * 64
    other = sign.sign(stated, sign.load_key(made.root / "other.pem"))
    with pytest.raises(AssetError, match="signature is not that of its text"):
        sign.open_envelope({**envelope, "payload": other["payload"]})
    # Whole and signed by another key it opens, under another fingerprint.
    assert sign.open_envelope(other)[1] != sign.open_envelope(envelope)[1]


def test_a_dirty_tree_is_no_release(made):
    (made.root / "params.yaml").write_text("seed: 6\n")
    with pytest.raises(StageError, match=r"the tree is dirty \(params.yaml\)"):
        release.release(made.place, "1.0.0")


@pytest.mark.parametrize("version", ["1", "v1.0.0", "1.0", "newest"])
def test_a_name_that_is_no_version_is_refused(made, version):
    with pytest.raises(StageError, match=r"is no version; it looks like 1\.0\.0"):
        release.release(made.place, version)


def test_a_release_is_never_changed(released):
    made, *_ = released
    with pytest.raises(StageError, match=r"v1\.0\.0 exists already"):
        release.release(made.place, "1.0.0")


def test_an_unknown_or_bare_tag_is_one_sentence(made):
    with pytest.raises(StageError, match=r"there is no release 9\.9\.9; known: none"):
        release.read_attestation(made.root, "9.9.9")
    identify(made)
    made.run("git", "tag", "--annotate", "v9.9.9", "--message", "by hand")
    with pytest.raises(StageError, match=r"v9\.9\.9 carries no attestation"):
        release.read_attestation(made.root, "9.9.9")


def test_a_key_of_another_kind_is_refused(tmp_path):
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(AssetError, match="no private key that can be read"):
        sign.load_key(tmp_path / "key.pem")


def versions(made, old="HEAD", new=None):
    snapshots = [diff.snapshot(made.root, revision) for revision in (old, new)]
    return diff.compare(*snapshots, made.place)


def test_a_version_does_not_differ_from_itself(made):
    found = versions(made)
    assert found["added"] == found["removed"] == found["changed"] == []
    assert found["params"] == found["figures"] == {}
    assert found["pixels"] == {"compared": 11, "differ": []}
    assert "pixels changed: no (11 clips" in diff.text(found)


def test_clips_params_figures_and_pixels_that_changed_are_named(made):
    plan = made.files.plan
    gone, *rows = [json.loads(line) for line in plan.read_text().splitlines()]
    rows[0]["clip_id"] = "clip-0000000000"
    plan.write_text("".join(json.dumps(row) + "\n" for row in rows))
    params = made.root / "params.yaml"
    params.write_text(params.read_text().replace("margin: 0.1", "margin: 0.2"))
    file = made.files.study_file
    file.write_text(file.read_text().replace("test: 0.3", "test: 0.4", 1))
    figures = made.files.evaluation
    figures.write_text(figures.read_text().replace('"accuracy": 0', '"accuracy": 1'))
    victim = next(r["clip_id"] for r in rows[2:] if r["kind"] == "clip")
    (made.files.clips / f"{victim}.mp4").write_bytes(b"other pixels")
    made.dvc("commit", "--force", "--quiet")
    found = versions(made)
    assert found["removed"] == [gone["key"]]
    assert found["changed"] == [rows[0]["key"]]
    assert found["pixels"]["differ"] == [victim]
    assert found["params"] == {
        "faces.margin": [0.1, 0.2], "study.protocols.published.test": [0.3, 0.4],
    }  # fmt: skip
    assert any(name.endswith("accuracy") for name in found["figures"])


def test_pixels_are_unknown_when_the_lists_are_gone(made):
    for store in made.place.stores:
        for path in store.glob("files/md5/??/*.dir"):
            path.unlink()
    assert versions(made)["pixels"] is None
    assert "pixels changed: unknown" in diff.text(versions(made))


def test_a_revision_that_is_none_is_one_sentence(made):
    with pytest.raises(StageError, match="'nowhere' is no revision"):
        diff.snapshot(made.root, "nowhere")
