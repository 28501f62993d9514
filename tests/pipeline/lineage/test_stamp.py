"""Trusted time from a real authority on loopback: OpenSSL's own, behind a small web server."""

import base64
import shutil
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from flows.cli import main
from pipeline.errors import AssetError, StageError
from pipeline.lineage import release
from pipeline.lineage.sign import open_envelope, sign
from pipeline.lineage.stamp import said_time, stamped

pytest.importorskip("rfc3161_client")
pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no OpenSSL to ask")
CONFIG = """
[tsa]
default_tsa = authority
[authority]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
"""


def certificate(name, key, issuer, issuer_key, *extensions):
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """The address of a time authority, and the file of the root that vouches for it."""
    folder = tmp_path_factory.mktemp("authority")
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    own = x509.BasicConstraints(ca=True, path_length=None)
    root = certificate("Root", root_key, "Root", root_key, own)
    use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    (folder / "tsa.pem").write_bytes(pem(certificate("Clock", key, "Root", root_key, use)))
    (folder / "tsa.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "root.pem").write_bytes(pem(root))
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))

    class Clock(BaseHTTPRequestHandler):
        def do_POST(self):
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            command = ["openssl", "ts", "-reply", "-config", folder / "tsa.cnf",
                       "-queryfile", folder / "query", "-out", folder / "reply"]  # fmt: skip
            subprocess.run(command, check=True, capture_output=True)
            self.send_response(200)
            self.end_headers()
            self.wfile.write((folder / "reply").read_bytes())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Clock)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/tsr", folder / "root.pem"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def made_then(authority):
    return stamped(sign({"a": 1}, Ed25519PrivateKey.generate()), authority[0])


def test_a_stamp_says_when_and_its_root_vouches_for_it(made_then, authority):
    url, root = authority
    assert open_envelope(made_then)[0] == {"a": 1}
    said = said_time(made_then, root)
    when = datetime.fromisoformat(said.split()[2].rstrip(","))
    assert abs(datetime.now(UTC) - when) < timedelta(minutes=5)
    assert f"says {url} (by a root of" in said
    assert "not checked; --tsa-roots" in said_time(made_then)


def test_a_stamp_of_another_statement_is_refused(made_then):
    other = sign({"a": 2}, Ed25519PrivateKey.generate())
    other["signatures"][0]["timestamp"] = made_then["signatures"][0]["timestamp"]
    with pytest.raises(AssetError, match="it is of another statement"):
        said_time(other)


def test_a_root_that_does_not_vouch_is_refused(made_then, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.BasicConstraints(ca=True, path_length=None)
    (tmp_path / "other.pem").write_bytes(pem(certificate("Other", key, "Other", key, own)))
    with pytest.raises(AssetError, match="time stamp does not hold"):
        said_time(made_then, tmp_path / "other.pem")


def test_an_altered_stamp_is_refused(made_then, authority):
    stamp = made_then["signatures"][0]["timestamp"]
    altered = bytearray(base64.b64decode(stamp["rfc3161"]))
    altered[-3] ^= 1  # in the authority's signature
    changed = {**stamp, "rfc3161": base64.b64encode(altered).decode()}
    spoilt = {**made_then, "signatures": [{**made_then["signatures"][0], "timestamp": changed}]}
    with pytest.raises(AssetError, match="time stamp does not hold"):
        said_time(spoilt, authority[1])


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://127.0.0.1:9/", "does not answer"), ("clock", "web address of a time authority")],
)
def test_without_an_answer_nothing_is_released(url, said):
    with pytest.raises(StageError, match=said):
        stamped(sign({}, Ed25519PrivateKey.generate()), url)


def test_without_a_stamp_there_is_no_time():
    assert said_time(sign({}, Ed25519PrivateKey.generate())) is None


def test_a_release_carries_its_time(made, authority, monkeypatch, capsys):
    url, root = authority
    made.run("git", "config", "user.name", "a")
    made.run("git", "config", "user.email", "a@example.org")
    release.release(made.place, "1.0.0", None, url)
    monkeypatch.chdir(made.root)
    assert main(["verify", "--release", "1.0.0", "--tsa-roots", str(root)]) == 0
    assert "release 1.0.0: there at 2" in capsys.readouterr().out
