"""Settings: every variable in each of its spellings, and a clear word about whatever is wrong."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.settings import (
    DEFAULT,
    PREFIX,
    SECRET_KEY,
    Settings,
    SettingsError,
    check_settings,
    is_loopback,
    load_settings,
    parse_setting,
    variable,
)
from conf.values import Secret

SEED = {  # the seed's variables as printed, with the values printed there
    "ENABLED=true": ("enabled", True),
    "MEMORY_RETENTION_HOURS=2": ("memory_retention_hours", 2.0),
    "INSIGHT_GENERATION_INTERVAL=900": ("insight_generation_interval_s", 900.0),
    "PATTERN_ANALYSIS_INTERVAL=1800": ("pattern_analysis_interval_s", 1800.0),
    "MAX_MEMORY_INSIGHTS=100": ("max_memory_insights", 100),
    "MAX_MEMORY_PATTERNS=50": ("max_memory_patterns", 50),
    "DB_PATH=data/analytics.db": ("db_path", Path("data/analytics.db")),
    "PERSISTENCE_RETENTION_DAYS=30": ("persistence_retention_days", 30.0),
    "ENABLE_BACKGROUND_PERSISTENCE=true": ("enable_background_persistence", True),
    "SQLITE_BATCH_SIZE=100": ("sqlite_batch_size", 100),
    "CLEANUP_INTERVAL_SECONDS=3600": ("cleanup_interval_s", 3600.0),
}
OTHER_SPELLINGS = {
    "INSIGHT_GENERATION_INTERVAL_SECONDS": "insight_generation_interval_s",
    "PATTERN_ANALYSIS_INTERVAL_SECONDS": "pattern_analysis_interval_s",
    "CLEANUP_INTERVAL": "cleanup_interval_s",
    "FLUSH_INTERVAL_SECONDS": "flush_interval_s",
}


def failure(**environ: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings({PREFIX + name: text for name, text in environ.items()})
    return caught.value


@pytest.mark.parametrize(("line", "expected"), SEED.items())
def test_a_variable_of_the_seed_works_as_printed_and_is_the_default(line, expected):
    name, _, text = line.partition("=")
    field, value = expected
    settings, origin = load_settings({PREFIX + name: text})
    assert getattr(settings, field) == getattr(Settings(), field) == value
    assert origin[field] == PREFIX + name


@pytest.mark.parametrize(("name", "field"), OTHER_SPELLINGS.items())
def test_an_interval_has_a_second_spelling(name, field):
    settings, origin = load_settings({PREFIX + name: "77"})
    assert getattr(settings, field) == 77
    assert origin[field] == PREFIX + name


def test_without_variables_everything_is_default():
    settings, origin = load_settings({"PATH": "/bin", "COACHIQ_OTHER": "x"})
    assert settings == Settings()
    assert set(origin.values()) == {DEFAULT}
    assert set(origin) == {each.name for each in fields(Settings)}


def test_the_shipped_default_is_open_to_this_machine_only_and_says_nothing_about_persistence():
    assert is_loopback(Settings().host)
    assert Settings().persistence is None
    assert Settings().flag_overrides() == {}


def test_settings_are_a_value():
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]
    assert Settings(memory_retention_hours=0.5).memory_retention_ms == 1_800_000
    assert Settings(memory_budget_mb=2).memory_budget_bytes == 2_097_152
    assert Settings(persistence_retention_days=2).persistence_retention_ms == 172_800_000


def test_both_spellings_may_agree_and_must_not_differ():
    both = {PREFIX + "CLEANUP_INTERVAL": "60", PREFIX + "CLEANUP_INTERVAL_SECONDS": "60.0"}
    assert load_settings(both)[0].cleanup_interval_s == 60
    error = failure(CLEANUP_INTERVAL="60", CLEANUP_INTERVAL_SECONDS="61")
    assert "CLEANUP_INTERVAL" in error.variable
    assert "otherwise" in error.message


def test_names_are_read_without_regard_to_case():
    settings, origin = load_settings({"coachiq_analytics__port": "81"})
    assert settings.port == 81
    assert origin["port"] == "coachiq_analytics__port"
    with pytest.raises(SettingsError, match="otherwise"):
        load_settings({"coachiq_analytics__port": "81", PREFIX + "PORT": "82"})


def test_an_unknown_variable_is_refused_with_the_nearest_one():
    error = failure(MEMORY_RETENTION_HOUR="2")
    assert error.variable == PREFIX + "MEMORY_RETENTION_HOUR"
    assert str(error).endswith(f"no such setting; did you mean {PREFIX}MEMORY_RETENTION_HOURS?")
    assert "did you mean" not in str(failure(ZZZZ="2"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "65536"),
        ("PORT", "80.5"),
        ("MEMORY_RETENTION_HOURS", "0"),
        ("MEMORY_RETENTION_HOURS", "nan"),
        ("MEMORY_RETENTION_HOURS", "1e999"),
        ("INSIGHT_GENERATION_INTERVAL_SECONDS", "-900"),
        ("MAX_MEMORY_INSIGHTS", "many"),
        ("ENABLED", "maybe"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("TIME_ZONE", "Europe"),
        ("DB_PATH", "a\0b"),
        ("DB_PATH", "~nobody-here/a.db"),
        ("AUTH_MODE", "tokens"),
        ("LOG_LEVEL", "loud"),
        ("ALLOWED_HOSTS", "rv.example.com:80"),
        ("ALLOWED_ORIGINS", "rv.example.com"),
        ("TRUSTED_PROXIES", "proxy"),
        ("CORE_URL", "coachiq"),
        ("CORE_URL", "http://user:pw@coachiq"),
        ("LOG_FORMAT", "xml"),
        ("MAX_SAMPLES_PER_SECOND", "0"),
        ("CONF_DIR", "/no/such/directory"),
    ],
)
def test_a_bad_value_names_its_variable_in_one_line(name, text):
    error = failure(**{name: text})
    assert error.variable == PREFIX + name
    assert str(error).startswith(PREFIX + name + ": ")
    assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["PORT", "PERSISTENCE", "DB_PATH", "AUTH_MODE", "HOST", "CORE_TOKEN"])
@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_value_is_not_given(name, text):
    assert load_settings({PREFIX + name: text}) == load_settings({})


def test_an_empty_value_of_an_unknown_name_is_an_error():
    assert failure(PROT="").variable == PREFIX + "PROT"


@pytest.mark.parametrize("mode", ["jwt", "token+jwt"])
def test_a_mode_with_jwt_needs_the_secret_of_the_core(mode):
    with pytest.raises(SettingsError) as caught:
        load_settings({PREFIX + "AUTH_MODE": mode})
    assert caught.value.variable == SECRET_KEY
    settings, origin = load_settings({PREFIX + "AUTH_MODE": mode, SECRET_KEY: "a secret", PREFIX + "HOST": "0.0.0.0"})
    assert settings.auth_secret == Secret("a secret")
    assert origin["auth_secret"] == SECRET_KEY


def test_secrets_do_not_print_themselves():
    settings, _ = load_settings({SECRET_KEY: "canary-1", PREFIX + "CORE_TOKEN": "canary-2"})
    assert "canary" not in f"{settings} {settings!r} {settings.auth_secret}"
    with pytest.raises(SettingsError) as caught:
        load_settings({PREFIX + "CORE_TOKEN": "canary-1", PREFIX + "core_token": "canary-2"})
    assert "canary" not in str(caught.value)


def test_tokens_live_beside_the_database_unless_told_otherwise():
    assert Settings(db_path=Path("/a/b.db")).tokens_path == Path("/a/tokens.json")
    assert Settings(tokens_file=Path("/c/t.json")).tokens_path == Path("/c/t.json")


def test_a_long_bad_value_is_cut():
    assert len(str(failure(PORT="9" * 5000))) < 200


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "on", " On "])
def test_what_is_true(text):
    assert load_settings({PREFIX + "PERSISTENCE": text})[0].persistence is True


@pytest.mark.parametrize("text", ["false", "0", "no", "OFF"])
def test_what_is_false(text):
    assert load_settings({PREFIX + "PERSISTENCE": text})[0].persistence is False


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "coach.local"])
def test_other_machines_are_served_without_authentication_only_when_said_so(host):
    error = failure(HOST=host)
    assert error.variable == PREFIX + "HOST"
    assert PREFIX + "ALLOW_OPEN" in error.message
    assert load_settings({PREFIX + "HOST": host, PREFIX + "ALLOW_OPEN": "true"})[0].host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_loopback_needs_no_word(host):
    assert is_loopback(host)
    assert load_settings({PREFIX + "HOST": host})[0].host == host


def test_a_check_names_where_the_value_came_from():
    with pytest.raises(SettingsError, match=r"^--host: "):
        check_settings(Settings(host="0.0.0.0"), {"host": "--host"})
    with pytest.raises(SettingsError, match=f"^{PREFIX}HOST: "):
        check_settings(Settings(host="0.0.0.0"), {})


def test_the_check_may_wait_for_further_values():
    settings, _ = load_settings({PREFIX + "HOST": "0.0.0.0"}, check=False)
    assert settings.host == "0.0.0.0"


def test_one_value_can_be_parsed_for_an_option():
    assert parse_setting("port", "80", spelled="--port") == 80
    with pytest.raises(SettingsError, match=r"^--port: expected a whole number from 0 to 65535, got 'x'$"):
        parse_setting("port", "x", spelled="--port")


def test_what_the_settings_say_about_flags():
    assert Settings(enabled=False, persistence=True).flag_overrides() == {
        "analytics_dashboard": False,
        "persistence": True,
    }
    assert Settings(persistence=False).flag_overrides() == {"persistence": False}


def test_modes_and_levels_are_read_without_regard_to_case():
    settings, _ = load_settings({PREFIX + "AUTH_MODE": "None", PREFIX + "LOG_LEVEL": "debug"})
    assert (settings.auth_mode, settings.log_level) == ("none", "DEBUG")


def test_a_home_directory_is_expanded(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert load_settings({PREFIX + "DB_PATH": "~/a.db"})[0].db_path == Path("/somewhere/a.db")


@given(
    st.sampled_from([variable(each.name) for each in fields(Settings)]),
    st.text(st.characters(codec="utf-8"), max_size=30),
)
def test_any_text_gives_settings_or_an_error_that_names_the_variable(name, text):
    try:
        settings, _ = load_settings({name: text})
    except SettingsError as error:
        said = error
    else:
        assert isinstance(settings, Settings)
        return
    assert said.variable == name
    assert "\n" not in str(said)


def test_the_time_zone_is_a_name_or_the_machines():
    assert Settings().time_zone is None
    assert load_settings({PREFIX + "TIME_ZONE": "America/Denver"})[0].time_zone == "America/Denver"
    assert "America/Denver" in failure(TIME_ZONE="Mars/Olympus").message
