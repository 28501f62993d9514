import pytest

from pipeline.errors import AssetError
from pipeline.lineage.provenance import permitted


def test_a_licence_goes_into_the_film_as_stated():
    assert permitted("face.png", "CC-BY-4.0") == "CC-BY-4.0"
    assert permitted("face.png", None).startswith("not stated; name it with --licence")


def test_a_licence_without_derivatives_is_refused():
    with pytest.raises(AssetError, match=r"face.png is under 'CC-BY-ND-4.0', which forbids deriv"):
        permitted("face.png", "CC-BY-ND-4.0")
