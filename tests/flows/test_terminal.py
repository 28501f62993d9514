"""What a person sees on a terminal (a pty), and a program in a pipe."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = (
    "from flows.terminal import say_table\n"
    "say_table(['', 'name', 'clips'], [['ok', 'ana', '12']], ['plain ana 12'])\n"
)
BARS = (
    "from flows.bars import Bars\n"
    "with Bars() as bars:\n"
    "    bars.say('render 1/4, ~3 min left'); bars.say('a note'); bars.say('render 4/4')\n"
)


def seen(code, **environment):
    """What a terminal of 100 columns is sent."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    run = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=theirs, env=env)
    os.close(theirs)
    text = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so at the end
            break
        if not part:
            break
        text += part
    os.close(ours)
    assert run.wait() == 0
    return text.decode()


@pytest.fixture(autouse=True)
def no_wish(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def piped(code):
    run = [sys.executable, "-c", code]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_terminal_sees_a_table_in_colour():
    text = seen(TABLE)
    assert "name" in text
    assert "ana" in text
    assert "\x1b[32mok" in text
    assert "plain" not in text


def test_no_color_takes_the_colour_away():
    text = seen(TABLE, NO_COLOR="1")
    assert "ana" in text
    assert "\x1b[32m" not in text


@pytest.mark.parametrize("code", [TABLE, BARS])
def test_a_pipe_and_a_dumb_terminal_get_plain_lines(code):
    for text in (piped(code), seen(code, TERM="dumb").replace("\r\n", "\n")):
        assert "\x1b" not in text
        assert text in ("plain ana 12\n", "render 1/4, ~3 min left\na note\nrender 4/4\n")


def test_a_terminal_sees_a_bar_with_the_time_left_and_lines_above_it():
    text = seen(BARS)
    assert "1/4" in text
    assert "~3 min left" in text
    assert "━" in text
    assert "a note" in text


def test_a_terminal_sees_at_once_what_is_at_hand():
    line = "folds 7/26 items at hand"
    text = seen(f"from flows.bars import Bars\nwith Bars() as bars:\n    bars.say('{line}')\n")
    assert "━" in text
    assert "7/26" in text
    assert "at hand" not in text
