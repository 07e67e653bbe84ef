"""What comes from the command line of any command."""

import os

import pytest


@pytest.mark.parametrize("command", [("export_certificates", "--query"), ("sync", "--story"), ("add_user",)])
def test_an_argument_that_is_no_text_is_refused_in_a_sentence(command, installation):
    done = installation.manage(*command, os.fsdecode(b"q=\xff"), exits=1)
    assert done.stderr == "Nothing was done, because an argument is not UTF-8 text. Write it in UTF-8.\n"
