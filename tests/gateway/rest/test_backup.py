"""A backup for the page: where it lies, what may be named, and when there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from quart.testing import QuartClient

from gateway.backend import Backend
from gateway.rest import backup
from storage.recovery import quick_check
from storage.sqlite_archive import open_sqlite_archive

PATH = "/api/analytics/storage/backup"


async def post(client: QuartClient, body: Any = None) -> tuple[int, dict[str, Any]]:
    response = await client.post(PATH, json=body) if body is not None else await client.post(PATH)
    return response.status_code, json.loads(await response.get_data())


@pytest.fixture
async def persisting(backend: Backend) -> Backend:
    """Persistence is on and the database there."""
    backend.flags.set("persistence", True)
    await (await open_sqlite_archive(backend.settings.db_path)).aclose()
    return backend


async def test_it_lies_beside_the_database(client: QuartClient, persisting: Backend, tmp_path: Path) -> None:
    status, answer = await post(client)
    assert status == 200
    made = Path(answer["path"])
    assert made.parent == tmp_path / "backups"
    assert made.name.startswith("analytics-2")
    assert answer["size_bytes"] == made.stat().st_size  # noqa: ASYNC240
    assert answer["created_at"] == persisting.wall_ms() / 1000
    assert quick_check(made) is None


async def test_its_name_may_be_chosen(client: QuartClient, persisting: Backend, tmp_path: Path) -> None:
    status, answer = await post(client, {"name": "before-the-trip.db"})
    assert (status, answer["path"]) == (200, str(tmp_path / "backups" / "before-the-trip.db"))


@pytest.mark.parametrize("name", ["../x.db", "a/b.db", "/etc/x", "..", ".hidden", "", "a\\b", "x" * 101, "a\nb", 7])
async def test_a_path_is_no_name(client: QuartClient, persisting: Backend, tmp_path: Path, name: Any) -> None:
    status, answer = await post(client, {"name": name})
    assert status == 422
    assert "name" in answer["detail"]
    assert not (tmp_path / "backups").exists()


async def test_an_unknown_member_is_named(client: QuartClient, persisting: Backend) -> None:
    status, answer = await post(client, {"path": "x.db"})
    assert (status, "path" in answer["detail"]) == (422, True)


async def test_without_persistence_there_is_nothing_to_copy(client: QuartClient, backend: Backend) -> None:
    status, answer = await post(client)
    assert (status, "off" in answer["detail"]) == (409, True)


async def test_without_a_database_it_is_tried_later(client: QuartClient, backend: Backend) -> None:
    backend.flags.set("persistence", True)
    status, answer = await post(client)
    assert status == 503
    assert "analytics.db" in answer["detail"]


async def test_a_damaged_database_is_not_copied(client: QuartClient, persisting: Backend) -> None:
    with persisting.settings.db_path.open("r+b") as file:
        file.seek(2 * 1024)
        file.write(b"\xff" * 1024)
    status, answer = await post(client)
    assert (status, "damaged" in answer["detail"]) == (409, True)


async def test_without_room_there_is_none(
    client: QuartClient, persisting: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "SPARE_BYTES", 2**62)
    status, answer = await post(client)
    assert (status, "free" in answer["detail"]) == (507, True)


async def test_the_directory_is_a_setting(client: QuartClient, persisting: Backend, tmp_path: Path) -> None:
    persisting.settings = replace(persisting.settings, backup_dir=tmp_path / "elsewhere")
    _, answer = await post(client)
    assert Path(answer["path"]).parent == tmp_path / "elsewhere"
