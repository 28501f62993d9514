"""git vouches for the whole history or says in one sentence why it does not."""

import os
import re
import shutil
import subprocess

import pytest

from pipeline.errors import StageError
from pipeline.lineage import history


def git(root, *arguments):
    return subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=root, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


@pytest.fixture
def repo(tmp_path):
    """Two commits on main, one on a branch that was merged without its change, one amended."""
    root = tmp_path / "repo"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(root))
    commit(root, "1")
    git(root, "switch", "--quiet", "--create", "side")
    commit(root, "2")
    git(root, "switch", "--quiet", "main")
    git(root, "merge", "--quiet", "--strategy=ours", "side")
    git(root, "branch", "--delete", "--force", "side")
    commit(root, "3")
    (root / "dvc.lock").write_text("4")
    git(root, "commit", "--quiet", "--all", "--amend", "--message", "4")
    return root


def commit(root, text):
    (root / "dvc.lock").write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", text)


def test_a_whole_clone_is_vouched_for_and_can_be_committed_to(repo):
    history.vouch(repo)
    assert history.open_matters(repo) is None


def test_versions_of_merged_branches_and_amended_commits_are_known(repo):
    commits = history.touching(repo, "dvc.lock", lost=True)
    assert {history.show(repo, c, "dvc.lock") for c in commits} == {"1", "2", "3", "4"}
    assert len(history.touching(repo, "dvc.lock")) == 2


def test_a_submodule_is_no_worktree_and_a_worktree_is(repo, tmp_path):
    git(tmp_path, "init", "--quiet", "outer")
    git(tmp_path / "outer", "submodule", "--quiet", "add", str(repo), "inner")
    assert history.worktrees(tmp_path / "outer/inner") == []
    history.vouch(tmp_path / "outer/inner")
    git(repo, "worktree", "add", "--quiet", str(tmp_path / "beside"))
    assert history.worktrees(repo) == [str(tmp_path / "beside")]
    assert history.worktrees(tmp_path / "beside") == [str(repo)]


def shallow(repo):
    git(repo.parent, "clone", "--quiet", "--depth=1", f"file://{repo}", "cut")
    return repo.parent / "cut"


def partial(repo):
    git(repo, "config", "uploadpack.allowFilter", "true")
    git(repo.parent, "clone", "--quiet", "--filter=blob:none", f"file://{repo}", "cut")
    return repo.parent / "cut"


def grafted(repo):
    (repo / ".git/info").mkdir(exist_ok=True)
    (repo / ".git/info/grafts").write_text(git(repo, "rev-parse", "HEAD"))
    return repo


def without_git(repo):
    shutil.rmtree(repo / ".git")
    return repo


def emptied(repo):
    shutil.rmtree(repo / ".git")
    (repo / ".git").mkdir()
    return repo


def broken_ref(repo):
    (repo / ".git/refs/heads/side").write_text("garbage")
    return repo


def lost_commit(repo):
    (repo / ".git/refs/heads/side").write_text("1" * 40)
    return repo


def lost_file(repo):
    blob = git(repo, "rev-parse", "HEAD:dvc.lock")
    (repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    return repo


def broken_settings(repo):
    (repo / ".git/config").write_text("[core")
    return repo


def moved_worktree(repo):
    git(repo, "worktree", "add", "--quiet", "--detach", str(repo.parent / "tree"))
    repo.rename(repo.parent / "elsewhere")
    return repo.parent / "tree"


def inside_another(repo):
    (repo / "inside").mkdir()
    (repo / "inside/dvc.lock").write_text("1")
    return repo / "inside"


def before_a_commit(repo):
    git(repo.parent, "init", "--quiet", "new")
    return repo.parent / "new"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (shallow, "shallow.*git fetch --unshallow"),
        (partial, "partial.*without --filter"),
        (grafted, "grafted.*remove .git/info/grafts"),
        (without_git, "git keeps no versions of .*git clone"),
        (emptied, "not a git repository.*git clone"),
        (broken_ref, "broken ref refs/heads/side.*git fsck"),
        (lost_commit, "missing object 1111.*clone anew"),
        (lost_file, "missing blob.*clone anew"),
        (broken_settings, "bad config"),
        (moved_worktree, "not a git repository.*git clone"),
        (inside_another, "git keeps no versions of .*inside"),
        (before_a_commit, "git keeps no versions of .*new"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_git_cannot_vouch_for_is_one_sentence(repo, spoil, said):
    root = spoil(repo)
    with pytest.raises(StageError, match=said) as refused:
        history.vouch(root)
    assert "\n" not in str(refused.value)


def test_a_clone_of_another_user_is_no_missing_repository(repo, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for ask in (history.vouch, history.is_repository):
        with pytest.raises(StageError, match=r"dubious ownership.*safe\.directory"):
            ask(repo)


def test_another_repository_in_the_environment_is_not_asked(repo, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(before_a_commit(repo) / ".git"))
    assert history.commit(repo, "HEAD")


def anonymous(repo, monkeypatch):
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git(repo, "config", "user.useConfigOnly", "true")


def in_a_merge(repo, monkeypatch):
    git(repo, "switch", "--quiet", "--create", "other", "HEAD~1")
    commit(repo, "other")
    with pytest.raises(subprocess.CalledProcessError):
        git(repo, "merge", "main")


def on_no_branch(repo, monkeypatch):
    git(repo, "switch", "--quiet", "--detach")


def held(repo, monkeypatch):
    (repo / ".git/index.lock").touch()


def held_branch(repo, monkeypatch):
    (repo / ".git/refs/heads/main.lock").touch()


def broken_index(repo, monkeypatch):
    (repo / ".git/index").write_text("no index")


def unsigned(repo, monkeypatch):
    git(repo, "config", "commit.gpgsign", "true")
    git(repo, "config", "gpg.program", "false")


def hooked(repo, monkeypatch):
    hook = repo / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not on a Saturday >&2\nexit 1\n")
    hook.chmod(0o755)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (anonymous, "say who commits: `git config user.name"),
        (in_a_merge, "a merge is under way; finish it or `git merge --abort`"),
        (on_no_branch, "HEAD is on no branch"),
        (held, "index.lock is there"),
        (held_branch, "main.lock is there"),
        (broken_index, "index"),
        (unsigned, "gpg failed to sign.*mend the signing key"),
        (hooked, "not on a Saturday"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_would_keep_a_commit_from_being_made_is_seen_before(repo, monkeypatch, spoil, said):
    spoil(repo, monkeypatch)
    matter = history.open_matters(repo)
    assert matter is not None
    assert re.search(said, matter), matter
    assert "\n" not in matter


def test_locks_of_a_killed_git_are_dropped_and_what_is_half_written_is_not_committed(repo):
    (repo / ".git/index.lock").touch()
    history.drop_locks(repo, patience=0.2)
    (repo / "dvc.lock").write_text("5")
    (repo / ".params.123.part.yaml").write_text("half")
    history.commit_all(repo, "5")
    assert git(repo, "show", "--name-only", "--format=%s") == "5\n\ndvc.lock"
    history.commit_all(repo, "again")  # nothing to commit
    assert git(repo, "log", "-1", "--format=%s") == "5"
