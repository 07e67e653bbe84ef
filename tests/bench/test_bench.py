"""The bench itself: that a small one measures everything and notices wrong counts. How fast is no matter here."""

import subprocess
import sys

import pytest

from tests.bench.__main__ import ROOT, Broken, check
from tests.bench.data import Expected

EXPECTED = Expected(received=2000, created=10, changed=5, stored=2010)
RESULT = EXPECTED._asdict() | {
    "status": "success",
    "withdrawn": 0,
    "missing": 0,
    "rejected": 0,
    "written": None,
    "message": "",
}


@pytest.mark.usefixtures("installation")  # on both databases
def test_a_small_bench_measures_every_figure_and_counts_right(pytestconfig):
    command = [sys.executable, "-m", "tests.bench", "--certificates", "2000"]
    command += ["--stores", pytestconfig.getoption("database")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not measured" not in done.stdout
    assert "(0 data rows written)" in done.stdout
    for step in ("first sync", "unchanged", "two of the stories changed", "one row in a hundred changed, everywhere"):
        assert done.stdout.count(f"\n{step}") == 1
        assert done.stdout.count(f": {step}: ") == 1
    assert ("a rare e-mail" in done.stdout) is ("sqlite" in command)
    assert "received 2,000, created 2,000, changed 0" in done.stdout
    assert "received 2,000, created 0, changed 20" in done.stdout


@pytest.mark.parametrize("wrong", [{"created": 11}, {"status": "partial"}, {"withdrawn": 1}, {"written": {"story": 1}}])
def test_a_wrong_count_is_told(wrong):
    check(RESULT, EXPECTED, "success")
    with pytest.raises(Broken, match=next(iter(wrong))):
        check(RESULT | wrong, EXPECTED, "success")
