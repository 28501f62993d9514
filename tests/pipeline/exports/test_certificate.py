import os
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519

from pipeline.errors import AssetError
from pipeline.exports.certificate import local_certificate, own_certificate

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    local_certificate(tmp_path / "c2pa", NOW)
    return tmp_path / "c2pa"


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_it_is_made_once(folder):
    first, second = (local_certificate(folder, NOW + timedelta(days=d)) for d in (0, 1000))
    assert first == second
    assert first.algorithm == "es256"


def test_it_is_made_anew_before_it_ends(folder):
    old = local_certificate(folder, NOW)
    assert local_certificate(folder, NOW + timedelta(days=3640)).chain != old.chain


def test_nobody_else_reads_the_key_and_the_authoritys_is_gone(folder):
    assert os.stat(folder / "key.pem").st_mode & 0o777 == 0o600
    assert os.stat(folder).st_mode & 0o777 == 0o700
    assert sorted(path.name for path in folder.iterdir()) == [
        "authority.pem", "chain.pem", "key.pem",
    ]  # fmt: skip


def test_the_leaf_is_signed_by_the_authority_and_cannot_sign_others(folder):
    certificate = local_certificate(folder, NOW)
    leaf, authority = x509.load_pem_x509_certificates(certificate.chain.encode())
    leaf.verify_directly_issued_by(authority)
    assert authority == x509.load_pem_x509_certificate(certificate.anchor.encode())
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.issuer != leaf.subject


def test_a_persons_own_certificate_is_taken_as_it_is(folder):
    own = own_certificate(folder / "chain.pem", folder / "key.pem")
    assert own.anchor is None
    assert own.chain == (folder / "chain.pem").read_text()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("key.pem", pem(ec.generate_private_key(ec.SECP256R1())), "not the key of the first"),
        ("key.pem", b"secret", "no PEM private key"),
        ("chain.pem", b"certificate", "no PEM certificate"),
        ("chain.pem", None, "cannot be read"),
        ("key.pem", b"\xff\xfe", "cannot be read as a PEM file"),
    ],
)
def test_a_wrong_file_is_named(folder, name, content, said):
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(AssetError, match=f"{name} .*{said}"):
        own_certificate(folder / "chain.pem", folder / "key.pem")


def self_signed(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "own")])
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=9))
        .sign(key, digest)
    )  # fmt: skip
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "es384"),
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
    ],
)
def test_the_algorithm_follows_from_the_key(tmp_path, key, algorithm):
    (tmp_path / "chain.pem").write_bytes(self_signed(key))
    (tmp_path / "key.pem").write_bytes(pem(key))
    found = own_certificate(tmp_path / "chain.pem", tmp_path / "key.pem")
    assert found.algorithm == algorithm


def test_a_key_that_c2pa_does_not_know_is_refused(tmp_path):
    key = dsa.generate_private_key(1024)
    (tmp_path / "chain.pem").write_bytes(self_signed(key))
    (tmp_path / "key.pem").write_bytes(pem(key))
    with pytest.raises(AssetError, match="of a kind that C2PA does not sign with"):
        own_certificate(tmp_path / "chain.pem", tmp_path / "key.pem")
