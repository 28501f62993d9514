"""Trusted time: an authority (TSA) signs that a statement was there at a moment (RFC 3161).

Asked is only who names an authority. It gets the SHA-256 of the statement's signature and nothing
else. Whether an authority is to be believed is said by root certificates of the reader's own.
"""

import base64
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.errors import AssetError, StageError
from pipeline.lineage.sign import Envelope

PATIENCE = 30  # seconds
MISSING = (
    "trusted time needs the library rfc3161-client; "
    "`pip install --no-deps --requirement requirements-release.lock`"
)


def stamped(envelope: Envelope, url: str) -> Envelope:
    """The envelope with the authority's answer beside its signature.

    Raises StageError when the authority does not answer or answers something else.
    """
    client = _client()
    [signature] = envelope["signatures"]
    data = base64.b64decode(signature["sig"])
    asked = client.TimestampRequestBuilder().data(data).nonce(nonce=True).cert_request(
        cert_request=True
    ).build()  # fmt: skip
    answer = _post(url, asked.as_bytes())
    try:
        response = client.decode_timestamp_response(answer)
        if response.tst_info.nonce != asked.nonce:
            raise ValueError("it answers another question")
        _require_imprint(response, data)
    except Exception as error:
        raise StageError(
            f"the time authority {url} gave no time stamp ({error}); nothing was released"
        ) from error
    stamp = {"rfc3161": base64.b64encode(answer).decode(), "authority": url}
    return {**envelope, "signatures": [{**signature, "timestamp": stamp}]}


def said_time(envelope: Envelope, roots: Path | None = None) -> str | None:
    """When the statement was there, and who says so; None without a time stamp.

    With `roots` (PEM certificates) the authority must lead back to one of them. Raises AssetError
    for a stamp of something else, or one that these roots do not vouch for.
    """
    [signature] = envelope["signatures"]
    if "timestamp" not in signature:
        return None
    client = _client()
    data = base64.b64decode(signature["sig"])
    try:
        response = client.decode_timestamp_response(
            base64.b64decode(signature["timestamp"]["rfc3161"])
        )
        _require_imprint(response, data)
        if roots:
            _verifier(client, roots).verify_message(response, data)
    except Exception as error:
        raise AssetError(f"the release's time stamp does not hold: {error}") from error
    when = response.tst_info.gen_time.isoformat()
    authority = signature["timestamp"]["authority"]
    how = f"by a root of {roots}" if roots else "not checked; --tsa-roots FILE.pem checks it"
    return f"there at {when}, says {authority} ({how})"


def _client() -> Any:
    if find_spec("rfc3161_client") is None:
        raise AssetError(MISSING)
    import rfc3161_client  # the extra `release`

    return rfc3161_client


def _require_imprint(response: Any, data: bytes) -> None:
    from cryptography.hazmat.primitives import hashes

    imprint = response.tst_info.message_imprint
    kinds = {
        "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
        "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
        "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
    }
    kind = kinds.get(imprint.hash_algorithm.dotted_string)
    if kind is None:
        raise ValueError("its digest is of no kind that is taken here")
    digest = hashes.Hash(kind)
    digest.update(data)
    if digest.finalize() != imprint.message:
        raise ValueError("it is of another statement")


def _verifier(client: Any, roots: Path) -> Any:
    from cryptography.x509 import load_pem_x509_certificates

    if not roots.is_file():
        raise ValueError(f"{roots} is missing")
    builder = client.VerifierBuilder()
    for certificate in load_pem_x509_certificates(roots.read_bytes()):
        builder = builder.add_root_certificate(certificate)
    return builder.build()


def _post(url: str, body: bytes) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise StageError(f"--tsa takes the web address of a time authority, not '{url}'")
    request = urllib.request.Request(
        url, body, {"Content-Type": "application/timestamp-query"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return bytes(answer.read(1_000_000))
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise StageError(
            f"the time authority {url} does not answer ({error}); nothing was released"
        ) from error
