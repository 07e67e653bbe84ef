"""Files: their head, their cells, their order, and that nothing in them is a formula."""

import pytest

pytest.register_assert_rewrite("tests.exports.files")
