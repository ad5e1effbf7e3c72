"""What a local Ray is started with: nothing of another Ray, no secret in sight, a port for everything."""

import json
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from cockpit.errors import LocalRayError
from cockpit.local import launch, private
from cockpit.local.launch import LocalOptions, prepare

FOREIGN = {
    "RAY_ADDRESS": "http://elsewhere:8265",
    "RAY_AUTH_TOKEN": "another cluster's",
    "RAY_AUTH_TOKEN_PATH": "/elsewhere/token",
    "RAY_AUTH_MODE": "disabled",
    "RAY_TMPDIR": "/elsewhere",
    "RAY_record_ref_creation_sites": "1",
    "RAYAKASH_ADDRESS": "http://elsewhere:8265",
}


def flags(command: list[str]) -> dict[str, str]:
    return dict(word[2:].split("=", 1) for word in command if word.startswith("--") and "=" in word)


def test_no_setting_of_another_ray_leaks_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    environment = prepare(LocalOptions()).environment
    assert not set(FOREIGN.values()) & set(environment.values()) - {"1"}
    assert "RAY_record_ref_creation_sites" not in environment
    assert environment["RAY_AUTH_MODE"] == "token"
    assert environment["RAY_USAGE_STATS_ENABLED"] == "0"


def test_the_token_is_random_long_and_only_in_the_environment() -> None:
    first, second = prepare(LocalOptions()), prepare(LocalOptions())
    assert first.token != second.token
    assert len(first.token) >= 32
    assert first.environment["RAY_AUTH_TOKEN"] == first.token
    assert first.token not in repr(first)
    assert first.token not in json.dumps(first.plan._asdict())
    assert not any(first.token in word for word in launch.supervisor_command(first.plan))


def test_every_port_is_its_own_and_passed() -> None:
    prepared = prepare(LocalOptions(num_cpus=2))
    given = flags(prepared.plan.command)
    names = [name for name in prepared.ports._fields if name.islower()]
    passed = [int(given[name.replace("_", "-")]) for name in names]
    passed += [int(prepared.environment[name]) for name in prepared.ports._fields if name.isupper()]
    assert sorted(passed) == sorted(prepared.ports)
    assert len(set(passed)) == len(passed) == 11
    assert int(given["min-worker-port"]) > max(passed)
    assert int(given["max-worker-port"]) - int(given["min-worker-port"]) >= 40


def test_the_dashboard_stays_on_the_loopback() -> None:
    prepared = prepare(LocalOptions())
    assert flags(prepared.plan.command)["dashboard-host"] == "127.0.0.1"
    assert prepared.address == f"http://127.0.0.1:{prepared.ports.dashboard_port}"


def test_unchosen_resources_are_left_to_ray() -> None:
    given = flags(prepare(LocalOptions()).plan.command)
    assert "num-cpus" not in given
    assert "num-gpus" not in given
    given = flags(prepare(LocalOptions(num_cpus=0, num_gpus=4, object_store_memory=100_000_000)).plan.command)
    assert (given["num-cpus"], given["num-gpus"], given["object-store-memory"]) == ("0", "4", "100000000")


def test_extra_environment_reaches_ray_but_cannot_switch_the_token_off() -> None:
    extra = {"LD_LIBRARY_PATH": "/stub", "RAY_LOG_LEVEL": "debug", "RAY_AUTH_MODE": "disabled", "TMPDIR": "/x"}
    environment = prepare(LocalOptions(environment=extra)).environment
    assert environment["LD_LIBRARY_PATH"] == "/stub"
    assert environment["RAY_LOG_LEVEL"] == "debug"
    assert environment["RAY_AUTH_MODE"] == "token"


def test_jobs_find_the_python_that_has_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    assert prepare(LocalOptions()).environment["PATH"] == f"{os.path.dirname(sys.executable)}:/usr/bin"


def test_sockets_fit_below_a_long_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    temporary = prepare(LocalOptions()).plan.directories[0]
    longest = f"{temporary}/session_2025-01-01_00-00-00_000000_4194304/sockets/dash_MetricsHead"
    assert len(longest) <= (107 if sys.platform == "linux" else 103)
    assert launch.is_ours(temporary)


def test_a_short_temporary_directory_of_the_users_choice_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/var/tmp")
    assert prepare(LocalOptions()).plan.directories[0].startswith("/var/tmp/")


@pytest.mark.parametrize("chosen", ["", "tmp", "/absent"])
def test_an_unusable_choice_is_not_kept(chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", chosen)
    assert prepare(LocalOptions()).plan.directories[0].startswith("/tmp/")


def test_a_full_disk_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "LEAST_DISK", 10**18)
    with pytest.raises(LocalRayError, match="MB are free in /"):
        prepare(LocalOptions())


def test_a_small_shared_memory_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "SHARED", tmp_path)
    free = shutil.disk_usage(tmp_path).free
    plenty = launch.directories_for("00000000", free // 2)
    too_much = launch.directories_for("00000000", free * 2)
    assert plenty[1:] == [str(tmp_path / "rayakash-00000000")]
    assert too_much[1:] == []


def test_without_shared_memory_the_store_lies_in_the_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "SHARED", tmp_path / "absent")
    plan = prepare(LocalOptions()).plan
    assert flags(plan.command)["plasma-directory"] == plan.directories[0]


@pytest.mark.parametrize(
    "options", [LocalOptions(object_store_memory=1), LocalOptions(num_cpus=-1), LocalOptions(num_gpus=-1)]
)
def test_impossible_options_are_refused(options: LocalOptions) -> None:
    with pytest.raises(LocalRayError):
        prepare(options)


@pytest.mark.parametrize(
    "path", ["/", "/home/someone", "/tmp/rayakash-1234567", "/tmp/rayakash-12345678/..", "/tmp/0123abcd", ""]
)
def test_a_foreign_directory_is_never_taken_for_ours(path: str) -> None:
    assert not launch.is_ours(path)


def test_sockets_fit_below_tmp_for_the_largest_user_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_294_967_294)
    assert len(f"/tmp/{private.parent_name()}/01234567") <= launch.LONGEST_TEMPORARY


def test_ray_lies_in_a_directory_that_only_its_owner_can_enter(tmp_path: Path) -> None:
    parent = launch.private_parent(str(tmp_path))
    assert (Path(parent).parent, stat.S_IMODE(os.lstat(parent).st_mode)) == (tmp_path, 0o700)
    assert launch.private_parent(str(tmp_path)) == parent


def test_a_directory_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / private.parent_name()).mkdir()
    (tmp_path / private.parent_name()).chmod(0o755)
    with pytest.raises(LocalRayError) as refused:
        launch.private_parent(str(tmp_path))
    assert "mode 0755" in (refused.value.detail or "")
    assert "TMPDIR" in (refused.value.hint or "")


def test_a_link_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / private.parent_name()).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LocalRayError) as refused:
        launch.private_parent(str(tmp_path))
    assert "not a directory" in (refused.value.detail or "")


def test_a_base_where_others_can_exchange_the_directory_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(LocalRayError) as refused:
        launch.private_parent(str(tmp_path))
    assert str(tmp_path) in (refused.value.detail or "")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory to another user")
def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / private.parent_name()).mkdir(mode=0o700)
    os.chown(tmp_path / private.parent_name(), 65_534, 65_534)
    with pytest.raises(LocalRayError) as refused:
        launch.private_parent(str(tmp_path))
    assert "another user" in (refused.value.detail or "")
