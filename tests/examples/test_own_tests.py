"""The examples' own tests, run as their authors run them: with pytest, in the example's folder."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize(("example", "count"), [("flarex_shop", 3), ("flask_shop", 6), ("newsletter", 11)])
def test_an_example_passes_its_own_tests(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, example: str, count: int
) -> None:
    """Each is a small real app, and tests itself with paydesk's plugin and nothing else."""
    folder = ROOT / "examples" / example
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))

    result = pytester.runpytest_subprocess(
        *("-p", "paydesk.testing.plugin", "-p", "no:cacheprovider", "-W", "error"),
        *("-c", folder / "pyproject.toml", "--rootdir", folder, folder),
    )

    result.assert_outcomes(passed=count)
