"""Single sign-on, against a provider that is a process of its own: in, back to the page, into teams, and not in."""

import pytest

pytest.register_assert_rewrite("tests.single_sign_on.browsing")
