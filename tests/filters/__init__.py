"""What each filter of an address means, and what becomes of an address that makes no sense."""

import pytest

pytest.register_assert_rewrite("tests.filters.filtering")
