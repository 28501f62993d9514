import pytest
from pydantic import BaseModel, ValidationError

from pipeline.naming import nearest, sentence_of
from pipeline.study import Study


class Inner(BaseModel, extra="forbid"):
    size: int = 1


class Outer(BaseModel, extra="forbid"):
    inner: Inner = Inner()
    many: list[Inner] = []
    named: dict[str, Inner | None] = {}


def said(values, model=Outer):
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    return sentence_of(caught.value, model)


def test_a_near_name_is_offered_and_far_ones_are_listed():
    assert nearest("framse", ["frames", "size"]) == "the nearest is 'frames'"
    assert nearest("zzz", ["frames", "size"]) == "known: frames, size"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"iner": 1}, "unknown parameter 'iner'; the nearest is 'inner'"),
        ({"inner": {"siz": 1}}, "unknown parameter 'inner.siz'; the nearest is 'size'"),
        ({"many": [{"siz": 1}]}, "unknown parameter 'many.0.siz'; the nearest is 'size'"),
        ({"named": {"x": {"siz": 1}}}, "unknown parameter 'named.x.siz'; the nearest is 'size'"),
        ({"inner": {"size": "big"}}, "'inner.size' is 'big': input should be a valid integer"),
    ],
)
def test_a_key_is_named_by_its_path_through_lists_and_mappings(values, sentence):
    assert said(values).startswith(sentence)


def test_a_missing_key_is_named():
    assert said({}, Study) == "'name' is missing"
