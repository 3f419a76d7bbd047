"""`location-policy import`: a folder of files for each case, and the exact text and files expected."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest

from location_policy.cli.app import app
from location_policy.cli.commands.imports.tables import ImportOptions, bring
from tests.support.program import run_program
from tests.support.repositories import clone, init, tip
from tests.support.service import started_service

IMPORTS = Path(__file__).parents[3] / "integrations" / "imports" / "cases"
CASES = sorted(path.name for path in IMPORTS.iterdir())


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("case", CASES)
def test_what_is_printed_and_what_is_written(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = IMPORTS / case
    copy = Path(shutil.copytree(folder / "in", tmp_path / "in"))
    (copy / "map").mkdir(exist_ok=True)
    monkeypatch.chdir(copy)
    arguments = (folder / "arguments").read_text().split()
    with pytest.raises(SystemExit) as ended:
        app(["import", *arguments, *([] if "--into" in arguments else ["--into", "map"])])
    printed = capsys.readouterr()
    assert f"{printed.out}--- {ended.value.code}\n{printed.err}" == (folder / "expected.txt").read_text()
    expected = files_in(folder / "in") | {f"map/{path}": text for path, text in files_in(folder / "expected").items()}
    assert files_in(copy) == expected


def test_a_site_comes_over_with_init_clone_import_push(tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("Sydney,Melbourne,Singapore,10.61.2.0/24\nMelbourne,Sydney,Singapore,10.61.3.0/23\n")
    repository = init(tmp_path / "locations.git", "--empty")
    copy = clone(repository, tmp_path / "map")
    with started_service("--repo", repository, cwd=tmp_path) as service:
        assert service.locate("10.61.2.0").status == 503
        assert run_program("import", old, cwd=copy.path).returncode == 0
        commit = copy.commit({}, "Bring the map of pexsubnet")
        assert copy.push().returncode == 0
        service.wait_for("in-sync", commit)
        answer = service.locate("10.61.3.0").json()
    assert (answer["policy.subnet"], answer["policy.commit"]) == ("10.61.2.0/23", tip(repository))
    assert answer["result"] == {
        "location": "Melbourne",
        "primary_overflow_location": "Sydney",
        "secondary_overflow_location": "Singapore",
    }


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path) -> None:
    shutil.copytree(IMPORTS / "there-already.overwritten" / "in", tmp_path, dirs_exist_ok=True)
    rows = tmp_path / "map" / "locations.csv"
    rows.chmod(0o640)
    assert run_program("import", "old.csv", "--into", "map", "--overwrite", cwd=tmp_path).returncode == 0
    assert rows.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "map" / "policy.toml").stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in rows.parent.iterdir()) == ["locations.csv", "policy.toml"]


def test_a_file_is_read_once_though_it_is_named_twice(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("Sydney,Melbourne,Singapore,10.61.2.0/24\n")
    assert run_program("import", "old.csv", "old.csv", cwd=tmp_path).returncode == 0
    assert (tmp_path / "locations.csv").read_text() == "Sydney,10.61.2.0/24\n"


def test_a_file_without_end_is_read_up_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("location_policy.cli.commands.imports.tables.FILE_LIMIT", 1 << 20)
    with pytest.raises(SystemExit) as ended:
        app(["import", "/dev/zero", "--into", str(tmp_path)])
    assert ended.value.code == 2
    told = "location-policy: /dev/zero has more than the 1 MiB that are read of a file\n"
    assert capsys.readouterr().err.startswith(told)


def test_a_table_on_standard_input_is_read_and_kept_in_a_file(tmp_path: Path) -> None:
    arguments = ("import", "-", "--into", "new/map", "--sync", "locations/ad.csv")
    table = b"Name,Site\n10.61.2.0/24,Sydney\n"
    done = run_program(*arguments, cwd=tmp_path, stdin=table)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "wrote new/map/locations/ad.csv")
    kept = (tmp_path / "new" / "map" / "locations" / "ad.csv").read_text()
    assert kept.splitlines()[1:] == ["Sydney,10.61.2.0/24"]
    done = run_program(*arguments, cwd=tmp_path, stdin=table)
    assert (done.returncode, done.stdout) == (0, "nothing changed\n")
    assert (tmp_path / "new" / "map" / "locations" / "ad.csv").read_text() == kept


def test_a_column_is_named_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("Netz,Ort\n10.61.2.0/24,Sydney\n")
    done = run_program("import", "table.csv", "--column", "vlan=Netz", cwd=tmp_path)
    told = "Error: Invalid value for '--column': vlan is none of subnet=NAME, site=NAME, mask=NAME, status=NAME"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, told)


def test_a_file_that_is_kept_has_the_rows_of_the_table_after_every_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    kept, table, dice = Path("locations", "nb.csv"), Path("nb.csv"), Random(7)
    for _ in range(12):
        rows = {f"10.0.{n}.0/24": dice.choice(["Sydney", "Perth"]) for n in dice.sample(range(40), 12)}
        table.write_text("Prefix,Site\n" + "".join(f"{subnet},{site}\n" for subnet, site in rows.items()))
        assert bring(ImportOptions([table], Path(), sync=kept.as_posix())) == 0
        found = [line.rsplit(",", 1) for line in kept.read_text().splitlines() if line and not line.startswith("#")]
        assert {subnet: site for site, subnet in found} == rows
        before = kept.read_bytes()
        capsys.readouterr()
        assert bring(ImportOptions([table], Path(), sync=kept.as_posix())) == 0
        assert (capsys.readouterr().out, kept.read_bytes()) == ("nothing changed\n", before)
        with kept.open("a") as file:
            file.write(f"# a note of {len(rows)}\n")
