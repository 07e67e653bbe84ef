"""What the proofs of the synchronisation share, and those that run certdash in processes."""

import pytest

pytest.register_assert_rewrite("tests.prove.driver", "tests.prove.history", "tests.sync.truth")
