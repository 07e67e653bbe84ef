"""People with accounts, teams, and links to passwords: what superusers do, and what the others do with it."""

import pytest

pytest.register_assert_rewrite("tests.accounts.steps")
