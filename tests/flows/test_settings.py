import shutil
from pathlib import Path

import pytest
import yaml

from flows.settings import overridden, write_settings
from pipeline.errors import ParamsError
from pipeline.params import load_params

FILE = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def params(tmp_path):
    return Path(shutil.copy(FILE, tmp_path / "params.yaml"))


def test_an_override_is_checked_and_leaves_the_file_alone(params):
    assert overridden(["plan.identities=6", "faces.detector=haar"], params).plan.identities == 6
    assert params.read_text() == FILE.read_text()


def test_written_settings_keep_every_other_line(params):
    write_settings(["plan.identities=6", "plan.reseed.3=1", "plan.expressions=[FD1]"], params)
    assert load_params(params).plan.reseed == {3: 1}
    before, after = FILE.read_text().splitlines(), params.read_text().splitlines()
    assert "seed: 7 # the root of every other seed" in after
    assert "  identities: 6" in after
    assert len(set(before) - set(after)) == 3


def test_what_it_writes_dvc_reads_as_the_same_values(params):
    write_settings(["train.learning_rate=1e-3", "render.samples=4"], params)
    assert yaml.safe_load(params.read_text())["train"]["learning_rate"] == 0.001


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("plan.identitis=6", "unknown parameter 'plan.identitis'; the nearest is 'identities'"),
        ("plann.identities=6", "unknown parameter 'plann'; the nearest is 'plan'"),
        ("plan.identities=one", "'plan.identities' is 'one'"),
        ("plan.identities", "--set takes section.key=value"),
        ("seed.x=1", "'seed' holds one value"),
        ("plan.expressions=[FD1", "is not YAML"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_writes_nothing(params, assignment, sentence):
    with pytest.raises(ParamsError, match=sentence.replace(".", r"\.")) as caught:
        write_settings(["plan.identities=6", assignment], params)
    assert "\n" not in str(caught.value)
    assert params.read_text() == FILE.read_text()
