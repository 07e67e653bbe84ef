"""Workbooks, opened again: types, what Excel can and cannot hold, what the first sheet says, and what stays behind."""

import pytest

pytest.register_assert_rewrite("tests.workbooks.opening")
