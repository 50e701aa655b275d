"""The wheel: what is in it, and a whole audit by a tool installed from it, away from this checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from auditor.report.pdf import pdf_available

CHECKOUT = Path(__file__).parents[2]


def _run(*command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)


def _files_below(folder: Path) -> set[str]:
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in files if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=CHECKOUT)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment that borrows only the dependencies, and return its scripts' folder."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home)
    places = sysconfig.get_paths("venv", vars={"base": str(home), "platbase": str(home)})
    scripts, packages = Path(places["scripts"]), Path(places["purelib"])
    pip = (sys.executable, "-m", "pip", "--python", scripts / "python")
    installed = _run(*pip, "install", "--no-index", "--no-deps", wheel, folder=home)
    assert installed.returncode == 0, installed.stderr
    # Only now: pip would take the editable installation found there for one to replace
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return scripts


def test_a_tool_installed_from_the_wheel_audits_away_from_the_checkout(scripts: Path, tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "sample_data", tmp_path, dirs_exist_ok=True)
    imported = _run(scripts / "python", "-c", "import auditor; print(auditor.__file__)", folder=tmp_path)
    assert Path(imported.stdout).is_relative_to(scripts.parent)

    sample = ("-c", "inventory.yaml", "--now", "2026-11-28T09:30:00Z")
    finished = _run(scripts / "auditor", "run", *sample, folder=tmp_path)

    assert finished.returncode == 1, finished.stderr
    written = {path.name for path in (tmp_path / finished.stdout.strip()).iterdir()}
    expected = {"results.json", "report.html", "findings.csv", "matrix.csv", "manifest.json", "evidence", "inputs"}
    assert written >= expected | ({"report.pdf"} if pdf_available() else set())


def test_the_wheel_holds_all_files_of_the_package_the_templates_and_the_licences(wheel: Path) -> None:
    with ZipFile(wheel) as opened:
        names = set(opened.namelist())
    package = _files_below(CHECKOUT / "auditor")
    templates = _files_below(CHECKOUT / "report_templates")
    metadata = {name for name in names if ".dist-info/" in name}
    assert names - metadata == {f"auditor/{name}" for name in package} | {
        f"auditor/report_templates/{name}" for name in templates
    }
    licences = {name.partition("/licenses/")[2] for name in metadata} - {""}
    assert licences == {"LICENSE", *(f"report_templates/{name}" for name in templates if "LICENSE" in name)}
