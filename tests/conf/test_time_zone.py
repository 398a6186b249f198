from __future__ import annotations

from pathlib import Path

import pytest

from conf.time_zone import find_zone, system_zone


@pytest.mark.parametrize("name", ["America/Denver", "Europe/Berlin", "UTC", "Australia/Lord_Howe"])
def test_iana_names(name: str) -> None:
    assert find_zone(name).key == name


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "Europe", "../../etc/passwd", "/etc/localtime", "EST5EDT,M3.2.0"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="America/Denver"):
        find_zone(name)


def test_the_variable_comes_first(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Europe/Paris")
    assert system_zone({"TZ": ":America/Denver"}, link).key == "America/Denver"
    assert system_zone({}, link).key == "Europe/Paris"
    assert system_zone({"TZ": "XYZ3ABC,M3.2.0,M11.1.0"}, link).key == "Europe/Paris"


def test_a_machine_that_does_not_say_is_utc(tmp_path: Path) -> None:
    assert system_zone({}, tmp_path / "absent").key == "UTC"
    (tmp_path / "copy").write_bytes(b"TZif")
    assert system_zone({}, tmp_path / "copy").key == "UTC"
