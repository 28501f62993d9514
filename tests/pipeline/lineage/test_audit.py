"""The page of 24 questions, from a small corpus: every one is answered, none by an error."""

import re

from flows.audit import examples, page


def test_every_question_has_its_commands_answer(made, monkeypatch):
    monkeypatch.chdir(made.root)
    monkeypatch.delenv("PALLOR_HOME", raising=False)
    names = examples()
    text = page(names)
    assert [int(n) for n in re.findall(r"^## (\d+)\. ", text, re.M)] == list(range(1, 25))
    answers = re.findall(r"^\$ (.+)\n((?:.*\n)*?)```$", text, re.M)
    assert len(answers) == 24
    for command, answer in answers:
        assert answer.strip(), f"{command} answers nothing"
        assert "pallor: " not in answer, f"{command}: {answer}"
    assert f"seed: {next(c.seed for c in made.plan.clips if c.clip_id == names['clip'])}" in text
    assert "by ada on ward" in text
