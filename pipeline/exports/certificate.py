"""The certificate that signs content credentials: made here once, or a person's own.

C2PA technical specification 2.2, section 14.5: an X.509 v3 leaf for document signing that is not
self-signed. Ours stands under an authority of our own, so its signatures are valid but untrusted
until somebody decides to trust that authority.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pipeline.errors import AssetError
from pipeline.files import writing_folder

AUTHORITY, CHAIN, KEY = "authority.pem", "chain.pem", "key.pem"
DAYS = 3650  # an export is checked long after it was made, and there is no time stamp
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Certificate:
    """PEM texts: the `chain` from leaf up, its private `key`, the signing `algorithm` (es256...).

    `anchor` is the authority whose trust makes signatures trusted; None when it is not ours.
    """

    chain: str
    key: str
    algorithm: str
    anchor: str | None


def own_certificate(chain: Path, key: Path) -> Certificate:
    """The certificate of two PEM files; AssetError when one is missing, broken or unrelated."""
    chain_text, key_text = _text(chain), _text(key)
    try:
        leaf = x509.load_pem_x509_certificates(chain_text.encode())[0]
    except ValueError as error:
        raise AssetError(f"{chain} holds no PEM certificate ({error})") from error
    try:
        private = serialization.load_pem_private_key(key_text.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise AssetError(f"{key} holds no PEM private key without a password ({error})") from error
    if _spki(private.public_key()) != _spki(leaf.public_key()):
        raise AssetError(f"{key} is not the key of the first certificate in {chain}")
    return Certificate(chain_text, key_text, _algorithm(private, key), None)


def local_certificate(folder: Path, now: datetime) -> Certificate:
    """The certificate kept in `folder`, made there when it is missing or about to end.

    The authority's own key is thrown away: it signs this one leaf and nothing after it.
    """
    if not all((folder / name).is_file() for name in (AUTHORITY, CHAIN, KEY)) or _ends(folder, now):
        _make(folder, now)
    certificate = own_certificate(folder / CHAIN, folder / KEY)
    anchor = (folder / AUTHORITY).read_text()
    return Certificate(certificate.chain, certificate.key, certificate.algorithm, anchor)


def _ends(folder: Path, now: datetime) -> bool:
    leaf = x509.load_pem_x509_certificate((folder / CHAIN).read_bytes())
    return leaf.not_valid_after_utc < now + timedelta(days=30)


def _make(folder: Path, now: datetime) -> None:
    authority_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = [_name("Pallor local authority"), _name("Pallor local signer")]
    authority = _build(names[0], names[0], authority_key, authority_key, now, authority=True)
    leaf = _build(names[1], names[0], leaf_key, authority_key, now, authority=False)
    pem = serialization.Encoding.PEM
    with writing_folder(folder) as part:
        (part / AUTHORITY).write_bytes(authority.public_bytes(pem))
        (part / CHAIN).write_bytes(leaf.public_bytes(pem) + authority.public_bytes(pem))
        (part / KEY).touch(mode=0o600)  # before it holds anything
        (part / KEY).write_bytes(
            leaf_key.private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        os.chmod(part, 0o700)


def _build(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey, now: datetime, authority: bool,
) -> x509.Certificate:  # fmt: skip
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # clocks of readers differ
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(_usage(authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=True)
    return builder.sign(signer, hashes.SHA256())


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(common: str) -> x509.Name:
    parts = {NameOID.ORGANIZATION_NAME: "Pallor", NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])


def _algorithm(private: object, key: Path) -> str:
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return _CURVES[private.curve.name]
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256"
    raise AssetError(f"{key} is of a kind that C2PA does not sign with; use P-256, Ed25519 or RSA")


def _spki(public: object) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(serialization.Encoding.DER, form)  # type: ignore[attr-defined]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise AssetError(f"{path} cannot be read as a PEM file ({error})") from error
