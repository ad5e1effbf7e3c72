"""Facts about what is sent to a cluster as a job's working directory."""

from enum import StrEnum

import msgspec


class SourceKind(StrEnum):
    """What the value of `--working-dir` is."""

    DIRECTORY = "directory"
    ARCHIVE = "archive"
    REMOTE = "remote"


class Reason(StrEnum):
    """Which rule kept a path out of the package."""

    DEFAULT = "default"
    OPTION = "excludes option"
    GITIGNORE = ".gitignore"
    RAYIGNORE = ".rayignore"


class SecretKind(StrEnum):
    """What a file that should perhaps stay at home looks like."""

    ENVIRONMENT = "environment file"
    KEY = "key file"
    CREDENTIALS = "credentials file"


class PackedFile(msgspec.Struct, frozen=True):
    """A regular file that goes into the package; size in bytes, times in nanoseconds."""

    path: str
    size: int
    modified_ns: int = 0


class Excluded(msgspec.Struct, frozen=True):
    """A path left behind on purpose, with all below it; size in bytes, None where it was not worth counting."""

    path: str
    size: int | None
    reason: Reason
    origin: str = ""
    """The ignore file with the deciding pattern, relative to the working directory."""
    pattern: str = ""
    is_directory: bool = False


class LeftOut(msgspec.Struct, frozen=True):
    """A path that cannot be packed: a socket, a named pipe, a device, a broken link."""

    path: str
    kind: str


class Secret(msgspec.Struct, frozen=True):
    """A packed file whose name says that it holds a secret."""

    path: str
    kind: SecretKind


class WorkingDirectory(msgspec.Struct, frozen=True):
    """A directory as Ray would pack it: paths are relative with slashes, sizes are bytes."""

    root: str
    files: tuple[PackedFile, ...] = ()
    directories: tuple[str, ...] = ()
    """Every directory kept, the root itself as `.`; they count in the package's name only."""
    empty_directories: tuple[str, ...] = ()
    """Those with nothing at all on disk, which are packed as such."""
    excluded: tuple[Excluded, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    unreadable: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    outside_links: tuple[str, ...] = ()
    """Symbolic links that lead out of the directory; what they point to is packed."""
    dropped: tuple[str, ...] = ()
    """Names that Ray packs but skips again when it unpacks them on the cluster."""

    @property
    def total_bytes(self) -> int:
        """Size of all files before compression."""
        return sum(file.size for file in self.files)

    def biggest(self, count: int = 10) -> tuple[PackedFile, ...]:
        """The largest files, largest first."""
        return tuple(sorted(self.files, key=lambda file: (-file.size, file.path))[:count])


class UploadPlan(msgspec.Struct, frozen=True):
    """What an upload would send: the pre-flight report; sizes are bytes, None is not known."""

    source: str
    kind: SourceKind
    uri: str
    file_count: int | None = None
    total_bytes: int | None = None
    zip_bytes: int | None = None
    biggest: tuple[PackedFile, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    secrets: tuple[Secret, ...] = ()
    outside_links: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    ignored_excludes: tuple[str, ...] = ()
    """Excludes without effect, since the source is not a directory."""
    directory: WorkingDirectory | None = None
    """The scan behind a plan of kind DIRECTORY."""

    @property
    def name(self) -> str:
        """The package's name on the cluster, without `gcs://`."""
        return self.uri.partition("://")[2]


class UploadStage(StrEnum):
    """What an upload is doing."""

    CHECKING = "checking"
    PACKING = "packing"
    SENDING = "sending"
    DONE = "done"


class UploadProgress(msgspec.Struct, frozen=True):
    """How far an upload is; `done` and `total` are bytes of the stage, total None where it is not known."""

    stage: UploadStage
    done: int = 0
    total: int | None = None


class UploadResult(msgspec.Struct, frozen=True):
    """How an upload ended: the URI for `runtime_env.working_dir`, and whether anything had to be sent."""

    uri: str
    already_there: bool
    zip_bytes: int | None = None
