"""What the tests of the synchronisation share."""

import pytest

pytest.register_assert_rewrite("tests.sync.account")
