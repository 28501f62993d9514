"""A person leaves a remote that speaks S3 (a real server on loopback) as they leave a folder."""

import os
import sys

import boto3
import pytest

from flows.cli import main
from flows.clouds import clouds
from flows.stores import place
from pipeline.errors import StageError
from pipeline.lineage.removal import find_subject, plan_removal

DVC = [sys.executable, "-m", "dvc"]


@pytest.fixture
def bucket(s3):
    """An empty bucket of a server that speaks S3: its address, and a list of its keys."""
    client = boto3.client("s3", endpoint_url=s3)

    def keys():
        pages = client.get_paginator("list_objects_v2").paginate(Bucket="corpus")
        return {row["Key"] for page in pages for row in page.get("Contents", [])}

    yield s3, keys
    client.close()


@pytest.fixture
def pushed(made, bucket, monkeypatch):
    """The corpus, pushed to the bucket as well; the current folder."""
    url, _ = bucket
    with (made.root / ".dvc/config").open("a") as config:
        config.write(
            f"['remote \"cloud\"']\n    url = s3://corpus/pallor\n    endpointurl = {url}\n"
        )
    for name in filter(lambda name: name.startswith("AWS_"), os.environ):  # the server's keys
        monkeypatch.setitem(made.run.__globals__["ENVIRONMENT"], name, os.environ[name])
    made.dvc("push", "--quiet", "--remote", "cloud")
    made.commit("a remote in the cloud")
    monkeypatch.chdir(made.root)
    return made


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_what_shows_them_leaves_the_bucket_and_the_rest_stays(pushed, bucket, capsys):
    _, keys = bucket
    before = keys()
    removal = plan_removal(place(), find_subject(place(), "photo/astronaut"))
    theirs = {f"pallor/files/md5/{md5[:2]}/{md5[2:]}" for md5 in removal.objects} & before
    assert theirs
    assert main(["forget", "photo/astronaut"]) == 0
    said = capsys.readouterr().out
    assert f"{len(theirs)} from the remote:cloud" in said
    assert "who lists one of the" in said
    assert keys() == before  # a dry run
    assert main(["forget", "photo/astronaut", "--apply", "--no-run"]) == 0
    said = capsys.readouterr().out
    assert "remote cloud: asked by hash, 0 files of them are left" in said
    assert "remote cloud (" not in said  # it is no longer among what was not searched
    assert keys() == before - theirs


def test_a_remote_that_cannot_be_opened_is_said_and_left(made, monkeypatch, capsys):
    """One of a kind whose library is not installed."""
    with (made.root / ".dvc/config").open("a") as config:
        config.write("['remote \"far\"']\n    url = gs://corpus/pallor\n")
    made.commit("a remote far away")
    monkeypatch.chdir(made.root)
    assert list(clouds(place()).silent) == ["far"]
    assert main(["forget", "photo/astronaut"]) == 0
    assert "remote:far was not asked: " in capsys.readouterr().out


def test_a_remote_that_lets_nothing_go_is_one_sentence():
    from flows.clouds import Clouds

    class Locked:
        fs = property(lambda self: self)

        def list_oids_exists(self, oids):
            return oids

        def oid_to_path(self, oid):
            return oid

        def remove(self, path):
            raise PermissionError("Access\nDenied")

    with pytest.raises(StageError, match=r"remote cloud does not let .* \(Access Denied\)"):
        Clouds({"cloud": Locked()}).remove({"0" * 32})
