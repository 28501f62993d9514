"""The command for labels that a corpus was not made with: `pallor labels`."""

from argparse import ArgumentParser, Namespace
from contextlib import closing
from pathlib import Path

from flows.commands.options import add_study, names
from flows.studies import opened
from flows.workspace import home
from pipeline.errors import StageError
from pipeline.lineage.attributes import NAMES


def labels_options(page: ArgumentParser) -> None:
    """What `pallor labels` can be asked."""
    page.add_argument(
        "labels", type=names, metavar="LABEL,...",
        help="segmentation, depth, normals, vertices, flow, surface, landmarks, mediapipe, arkit",
    )  # fmt: skip
    page.add_argument("-o", "--out", required=True, metavar="DIR", help="one .npz a clip")
    for name, help_ in NAMES.items():
        page.add_argument(f"--{name}", help=help_)
    add_study(page)


def labels(options: Namespace) -> None:
    """`pallor labels`: the clips are those that `pallor find` finds; transfers have no geometry."""
    from avatars.assets import fetch
    from flows.commands.lineage import index_of
    from pipeline.corpus.planned import read_plan
    from pipeline.exports.labels import wanted, write_labels
    from pipeline.exports.outputs import output_folder
    from pipeline.lineage import filters
    from pipeline.report.templates import counted
    from pipeline.store.store import Store

    asked = {name: vars(options)[name] for name in NAMES if vars(options)[name] is not None}
    chosen = wanted(options.labels)
    workspace = opened(options.study)[0]
    with closing(index_of(options.study)) as index:
        found = set(filters.find(index, filters.meant(index, asked)))
    clips = [clip for clip in read_plan(workspace.plan).clips if clip.clip_id in found]
    if not clips:
        raise StageError(f"no avatar's clip of {options.study} fits, and only these have geometry")
    out = output_folder(options.out)
    fetch(home())
    done = list(write_labels(clips, chosen, Store(home(), "render"), Path(out)))
    print(f"{options.out}: {', '.join(chosen)} of {counted(len(done), 'clip')}")
