"""The pre-flight report in words."""

import pytest

from cockpit.model.uploads import (
    Excluded,
    LeftOut,
    PackedFile,
    Reason,
    Secret,
    SecretKind,
    SourceKind,
    UploadPlan,
    UploadProgress,
    UploadResult,
    UploadStage,
)
from cockpit.render import upload as render

MIB = 1 << 20
PLAN = UploadPlan(
    source="/home/me/project",
    kind=SourceKind.DIRECTORY,
    uri="gcs://_ray_pkg_0123456789abcdef.zip",
    file_count=1214,
    total_bytes=int(3.1 * MIB),
    biggest=(PackedFile("data/vocab.json", int(1.2 * MIB)), PackedFile("evil\x1b[2J\n", 100)),
)


def changed(**changes: object) -> UploadPlan:
    fields = {name: getattr(PLAN, name) for name in PLAN.__struct_fields__}
    return UploadPlan(**{**fields, **changes})


def test_summary() -> None:
    assert render.summary(PLAN) == "1,214 files, 3.1 MiB, biggest data/vocab.json 1.2 MiB"
    assert render.summary(changed(zip_bytes=int(0.9 * MIB))).startswith("1,214 files, 3.1 MiB (921.6 KiB zipped), ")
    assert render.summary(changed(file_count=1)) == "1 file, 3.1 MiB"


def test_summary_of_archives_and_uris() -> None:
    tar = UploadPlan("code\x1b.tgz", SourceKind.ARCHIVE, "gcs://x.tar.gz", zip_bytes=2048)
    assert render.summary(tar) == "archive code\\x1b.tgz, 2.0 KiB"
    uri = "https://user:word@host:8443/code.zip?token=hunter2#x"
    remote = UploadPlan(uri, SourceKind.REMOTE, uri)
    assert render.summary(remote) == "the cluster fetches https://host:8443/code.zip by itself"


def test_biggest() -> None:
    assert render.biggest(PLAN) == ["   1.2 MiB  data/vocab.json", "     100 B  evil\\x1b[2J\\x0a"]


def test_excluded_largest_first_and_the_unknown_before() -> None:
    plan = changed(
        excluded=(
            Excluded("a.log", 5, Reason.GITIGNORE, "sub/.gitignore", "*.log"),
            Excluded(".git", 812 * MIB, Reason.DEFAULT, "", ".git", is_directory=True),
            Excluded(".venv", None, Reason.DEFAULT, "", ".venv", is_directory=True),
            Excluded("out\n", 7, Reason.OPTION, "", "out*"),
        )
    )
    assert render.excluded(plan) == [
        "excluded .venv – (default)",
        "excluded .git 812.0 MiB (default)",
        "excluded out\\x0a 7 B (excludes option: out*)",
        "excluded a.log 5 B (sub/.gitignore: *.log)",
    ]


def test_many_excluded_paths_are_cut() -> None:
    many = tuple(Excluded(f"{index:02}.pyc", 1, Reason.GITIGNORE, ".gitignore", "*.pyc") for index in range(12))
    lines = render.excluded(changed(excluded=many))
    assert (len(lines), lines[-1]) == (11, "excluded 2 more")


def test_secrets() -> None:
    env, key, other = (
        Secret(".env", SecretKind.ENVIRONMENT),
        Secret("certs/server.key", SecretKind.KEY),
        Secret("b.pem", SecretKind.KEY),
    )
    assert render.warnings(changed(secrets=(env,))) == ["warning: 1 environment file goes with it: .env"]
    assert render.warnings(changed(secrets=(env, key))) == [
        "warning: 1 environment file and 1 key file go with it: .env, certs/server.key"
    ]
    assert render.warnings(changed(secrets=(key, other))) == [
        "warning: 2 key files go with it: certs/server.key, b.pem"
    ]


def test_long_lists_of_names_are_cut() -> None:
    many = tuple(Secret(f"{index}.pem", SecretKind.KEY) for index in range(13))
    assert render.warnings(changed(secrets=many))[0].endswith("8.pem, 9.pem and 3 more")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"outside_links": ("data",)},
            "warning: 1 link leads out of the directory, and what is there goes with it: data",
        ),
        (
            {"outside_links": ("a", "b\x1b")},
            "warning: 2 links lead out of the directory, and what is there goes with it: a, b\\x1b",
        ),
        (
            {"left_out": (LeftOut("run.sock", "socket"), LeftOut("x", "broken link"))},
            "warning: left out, since Ray packs files only: run.sock (socket), x (broken link)",
        ),
        (
            {"dropped": ("a\\b",)},
            "warning: Ray loses names with a backslash or a drive's colon on the cluster: a\\b",
        ),
        ({"kind": SourceKind.ARCHIVE, "ignored_excludes": ("a",)}, "warning: excludes have no effect on an archive"),
        ({"kind": SourceKind.REMOTE, "ignored_excludes": ("a",)}, "warning: excludes have no effect on a URI"),
        ({"file_count": 0}, "warning: no file goes with it: the job starts in an empty directory"),
        (
            {"file_count": 0, "excluded": (Excluded(".", None, Reason.GITIGNORE, ".gitignore", ".*"),)},
            "warning: nothing goes with it: Ray applies a pattern to the whole directory (.gitignore: .*)",
        ),
    ],
)
def test_other_warnings(changes: dict[str, object], line: str) -> None:
    assert render.warnings(changed(**changes)) == [line]


def test_a_plain_plan_has_no_warnings() -> None:
    assert render.warnings(PLAN) == []


def test_the_report_is_all_of_it() -> None:
    plan = changed(
        secrets=(Secret(".env", SecretKind.ENVIRONMENT),),
        excluded=(Excluded(".git", 1, Reason.DEFAULT, "", ".git"),),
    )
    assert render.report(plan) == [render.summary(plan), *render.excluded(plan), *render.warnings(plan)]
    assert len(render.report(plan)) == 3


def test_results() -> None:
    uri = "gcs://_ray_pkg_0123456789abcdef.zip"
    assert render.result(UploadResult(uri, already_there=True)) == f"already on the cluster: {uri}"
    assert render.result(UploadResult(uri, already_there=False, zip_bytes=2048)) == f"sent 2.0 KiB: {uri}"
    remote = UploadResult("s3://bucket/code.zip", already_there=True)
    assert render.result(remote) == "the cluster fetches s3://bucket/code.zip by itself"
    assert (
        render.result(UploadResult("local:///opt/app", already_there=True)) == "taken from each node: local:///opt/app"
    )


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (UploadProgress(UploadStage.CHECKING), "asking whether the cluster has it"),
        (UploadProgress(UploadStage.PACKING, 1024, 4096), "packing 1.0 KiB of 4.0 KiB"),
        (UploadProgress(UploadStage.SENDING, 0, 4096), "sending 4.0 KiB"),
        (UploadProgress(UploadStage.DONE, 4096, 4096), "done"),
    ],
)
def test_progress(event: UploadProgress, words: str) -> None:
    assert render.progress(event) == words
