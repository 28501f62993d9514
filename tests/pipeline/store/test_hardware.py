import json

from pipeline.store.hardware import SETS, hardware
from pipeline.store.runs import recording


def test_processor_and_cards_are_named_as_the_system_lists_them(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some CPU 9\nflags\t: avx\n")
    card = tmp_path / "gpus" / "0000:01"
    card.mkdir(parents=True)
    (card / "information").write_text("Model: \t Some Card\nIRQ: 5\n")
    found = hardware(tmp_path / "cpuinfo", tmp_path / "gpus")
    assert (found["cpu"], found["gpus"]) == ("Some CPU 9", ["Some Card"])
    assert found["ram_gb"] > 0.1
    assert set(found["instructions"]) <= set(SETS)


def test_a_system_without_proc_is_no_fault(tmp_path):
    found = hardware(tmp_path / "none", tmp_path / "none")
    assert found["cpu"]
    assert found["gpus"] == []


def test_a_run_record_names_the_hardware(tmp_path):
    with recording(tmp_path, "render"):
        pass
    [path] = tmp_path.glob("*.json")
    assert json.loads(path.read_text())["hardware"]["cpu"]
