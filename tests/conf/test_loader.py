"""Reading the yaml files of conf/: packaged, replaced, broken."""

from __future__ import annotations

from importlib.resources import files

import pytest

from analytics.kpi_catalogue import make_kpi
from conf.loader import load_catalogue, load_flags, load_kpis, load_rules, read_conf, read_mapping
from conf.settings import Settings, SettingsError


def test_every_packaged_file_loads():
    load_catalogue()
    load_rules()
    load_flags(Settings())


def test_a_folder_replaces_single_files(tmp_path):
    (tmp_path / "feature_flags.yaml").write_text("persistence: {enabled: true}\n")
    assert read_mapping("feature_flags.yaml", tmp_path) == {"persistence": {"enabled": True}}
    assert load_flags(Settings(conf_dir=tmp_path)).states() == {"persistence": True}
    assert read_conf("metrics.yaml", tmp_path) == read_conf("metrics.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1, 2", "at line 2 column 1"),
        (b"a: \xff", "not UTF-8 at byte 3"),
        (b"!!python/object:os.system {}", "could not determine a constructor"),
    ],
)
def test_a_broken_file_is_named_in_one_line(tmp_path, content, message):
    (tmp_path / "metrics.yaml").write_bytes(content)
    with pytest.raises(SettingsError, match=message) as caught:
        load_catalogue(tmp_path)
    assert str(tmp_path / "metrics.yaml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_the_wrong_shape(tmp_path):
    (tmp_path / "metrics.yaml").write_text("- 1\n")
    (tmp_path / "feature_flags.yaml").write_text("persistence: {enabled: 3}\n")
    with pytest.raises(SettingsError, match=r"conf/metrics.yaml: expected a mapping"):
        load_catalogue(tmp_path)
    with pytest.raises(SettingsError, match=r"conf/feature_flags.yaml: persistence: enabled: expected true or false"):
        load_flags(Settings(conf_dir=tmp_path))


def test_an_entry_that_makes_no_sense_is_named(tmp_path):
    (tmp_path / "metrics.yaml").write_text("metrics: [{pattern: 'a*', kind: thing}]\n")
    with pytest.raises(SettingsError, match=r"conf/metrics.yaml: .*a\*.*kind") as caught:
        load_catalogue(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_missing_or_unreadable_file(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        read_conf("nothing.yaml")
    (tmp_path / "rules.yaml").mkdir()
    with pytest.raises(SettingsError, match="Is a directory"):
        read_conf("rules.yaml", tmp_path)


def test_an_override_the_flags_file_does_not_know(tmp_path):
    (tmp_path / "feature_flags.yaml").write_text("analytics_dashboard: {enabled: true}\n")
    with pytest.raises(SettingsError, match="no flag is called persistence"):
        load_flags(Settings(conf_dir=tmp_path, persistence=True))


def test_the_unit_file_ships_with_the_package_and_knows_our_exit_codes():
    unit = (files("conf") / "systemd" / "coachiq-analytics.service").read_text()
    for line in ("Type=notify", "Restart=always", "RestartPreventExitStatus=78", "ProtectSystem=strict"):
        assert f"\n{line}\n" in unit
    assert "\nWatchdogSec=" in unit


def test_the_shipped_kpis_agree_with_the_shipped_catalogue() -> None:
    catalogue = load_catalogue()
    kpis = [make_kpi(body["id"], body, catalogue, shipped=True) for body in load_kpis()]
    assert {kpi.id for kpi in kpis} >= {"soc_overnight_drop", "ah_per_night", "water_per_day", "solar_yield_today"}
