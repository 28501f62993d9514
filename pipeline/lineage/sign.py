"""Signed statements: DSSE envelopes with Ed25519 keys.

An envelope carries its payload, the public key and a signature over both the payload and its type
(the DSSE protocol's pre-authentication encoding), so it can be checked without anything else. Whose
key it is must be known from elsewhere: compare the fingerprint.
"""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pipeline.errors import AssetError
from pipeline.files import canonical, writing

PAYLOAD_TYPE = "application/vnd.in-toto+json"
Envelope = dict[str, Any]
PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


def load_key(path: Path) -> Ed25519PrivateKey:
    """The private key of a PEM file, made there (mode 0600) when it does not exist.

    Raises AssetError for a file that holds no unencrypted Ed25519 key.
    """
    if not path.exists():
        write_key(path, Ed25519PrivateKey.generate())
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise AssetError(f"{path} holds no private key that can be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AssetError(f"{path} holds another kind of key; an Ed25519 key is needed")
    return key


def sign(statement: dict[str, Any], key: Ed25519PrivateKey) -> Envelope:
    """The statement in a signed envelope."""
    payload = canonical(statement).encode()
    public = _pem(key.public_key())
    signature = {
        "keyid": fingerprint(public),
        "sig": base64.b64encode(key.sign(_encoding(payload))).decode(),
        "public_key": public,
    }
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [signature],
    }


def open_envelope(envelope: Envelope) -> tuple[dict[str, Any], str]:
    """The statement of an envelope and its signer's fingerprint.

    Raises AssetError when the signature is not that of the payload.
    """
    try:
        payload = base64.b64decode(envelope["payload"])
        [signature] = envelope["signatures"]
        public = serialization.load_pem_public_key(signature["public_key"].encode())
        assert isinstance(public, Ed25519PublicKey)
        public.verify(base64.b64decode(signature["sig"]), _encoding(payload))
    except (InvalidSignature, KeyError, ValueError, AssertionError) as error:
        raise AssetError(
            "the attestation's signature is not that of its text; fetch its tag again"
        ) from error
    statement: dict[str, Any] = json.loads(payload)
    return statement, fingerprint(signature["public_key"])


def fingerprint(public_pem: str) -> str:
    """SHA-256 of a public key's PEM text, in hex."""
    return hashlib.sha256(public_pem.encode()).hexdigest()


def _encoding(payload: bytes) -> bytes:
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def write_key(path: Path, key: PrivateKey) -> None:
    """Keep a private key as PEM that its owner alone may read (mode 0600)."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with writing(path) as part:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)


def _pem(public: Ed25519PublicKey) -> str:
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
