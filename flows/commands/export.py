"""The command that hands the corpus to others: `pallor export`."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from flows.commands.options import add_study
from flows.studies import opened
from flows.workspace import home, require_workspace
from pipeline.errors import AssetError
from pipeline.exports import FORMATS
from pipeline.exports.outputs import output_folder
from pipeline.store.runs import RUNS


def export_options(page: ArgumentParser) -> None:
    """What `pallor export` can be asked."""
    add_study(page)
    page.add_argument("format", choices=FORMATS, metavar="FORMAT", help=", ".join(FORMATS))
    page.add_argument("-o", "--out", required=True, metavar="DIR", help="a folder to be made")
    page.add_argument(
        "--certificate", metavar="CHAIN.pem", help="c2pa: sign with this chain (default: our own)"
    )
    page.add_argument("--key", metavar="KEY.pem", help="c2pa: the private key of --certificate")


def export(options: Namespace) -> None:
    """`pallor export`: a new folder in one format, or in all of them."""
    from pipeline.exports.certificate import local_certificate, own_certificate
    from pipeline.exports.export import Export, write_export
    from pipeline.exports.openlineage import environment_client
    from pipeline.exports.source import read_source
    from pipeline.report.templates import counted

    require_workspace()
    out = output_folder(options.out)
    if bool(options.certificate) != bool(options.key):
        raise AssetError("--certificate and --key go together: a chain and its private key, as PEM")
    now = datetime.now(UTC)
    if options.certificate:
        certificate = partial(own_certificate, Path(options.certificate), Path(options.key))
    else:
        certificate = partial(local_certificate, home() / "c2pa", now)
    workspace, study, _ = opened(options.study)
    source = read_source(workspace, study, now.date())
    order = Export(source, RUNS, now, certificate, environment_client())
    write_export(options.format, order, out)
    files = [path for path in out.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"{out}: {counted(len(files), 'file')}, {size:.1f} MB, version {source.release.version}")
