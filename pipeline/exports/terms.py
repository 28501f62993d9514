"""What a corpus may be used for, so that a machine can read it.

W3C ODRL 2.2 (permission and prohibition) with the codes of GA4GH's Data Use Ontology (DUO), as
Croissant 1.1 names them under `usageInfo`. They repeat the words of `pipeline.exports.words`; each
face's own licence stands in its row and goes first.
"""

from collections.abc import Iterable
from typing import Any

from pipeline.exports.words import FORBIDDEN, INTENDED
from pipeline.lineage.provenance import allowed

CONTEXT = {"odrl": "http://www.w3.org/ns/odrl/2/", "obo": "http://purl.obolibrary.org/obo/"}
RESEARCH, CARE, NOT_COMMERCIAL = "obo:DUO_0000042", "obo:DUO_0000043", "obo:DUO_0000046"


def terms(licences: Iterable[str]) -> dict[str, Any]:
    """The ODRL offer of a corpus that shows faces under these licences."""
    uses = {row["use"] for row in allowed(licences)}
    offer: dict[str, Any] = {
        "@type": ["odrl:Offer", "CreativeWork"],
        "name": "Terms of use",
        "description": " ".join((*INTENDED, *(f"Do not use for: {use}" for use in FORBIDDEN))),
        "odrl:permission": [_rule("odrl:use", RESEARCH)],
        "odrl:prohibition": [_rule("odrl:use", CARE)],
    }
    if "yes, not commercially" in uses:
        offer["odrl:permission"].append(_rule("odrl:use", NOT_COMMERCIAL))
        offer["odrl:prohibition"].append({"odrl:action": {"@id": "odrl:commercialize"}})
    if uses & {"yes, with attribution", "yes, under the same licence"}:
        offer["odrl:obligation"] = [{"odrl:action": {"@id": "odrl:attribute"}}]
    return offer


def _rule(action: str, purpose: str) -> dict[str, Any]:
    constraint = {
        "odrl:leftOperand": {"@id": "odrl:purpose"},
        "odrl:operator": {"@id": "odrl:isA"},
        "odrl:rightOperand": {"@id": purpose},
    }
    return {"odrl:action": {"@id": action}, "odrl:constraint": [constraint]}
