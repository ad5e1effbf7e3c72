"""The rows of a compute profile: CPU, memory, GPUs, volumes."""

from collections.abc import Iterator, Sequence

from cockpit.operations.sdl_editor.form_rows import Cover, FormRow
from cockpit.sdl.nodes import Mapping, child, elements, fields
from cockpit.sdl.paths import Step
from cockpit.sdl.view import Compute, Service, Volume, string

SHM = "/dev/shm"
SIZE = "such as 16Gi"


def compute_rows(
    cover: Cover, service: Service, compute: Compute, *, is_ray: bool, shared: Sequence[str]
) -> Iterator[FormRow]:
    """What each replica gets; `shared` are other services with the same profile, which change along."""
    base = ("profiles", "compute", compute.name, "resources")
    key = f"{service.name}:{compute.name}"
    also = f"with {', '.join(shared)}" if shared else ""
    for label, field, path, hint in (
        ("CPU", "cpu", ("cpu", "units"), "cores: 8, 0.5 or 500m"),
        ("memory", "memory", ("memory", "size"), SIZE),
    ):
        value = string(child(compute.resources, *path))
        yield FormRow(
            key=f"{key}:{field}", label=label, value=value or "–", note=also, field=field, args=(compute.name,),
            text=value, hint=hint, line=cover.line(*base, *path),
        )  # fmt: skip
    yield from _gpus(cover, key, compute)
    yield from _volumes(cover, key, service, compute, is_ray=is_ray)


def _gpus(cover: Cover, key: str, compute: Compute) -> Iterator[FormRow]:
    base: tuple[Step, ...] = ("profiles", "compute", compute.name, "resources", "gpu")
    args = (compute.name,)
    yield FormRow(
        key=f"{key}:gpu", label="GPUs", value=str(compute.gpu) if compute.gpu else "–", note="in each replica",
        field="gpu", args=args, text=str(compute.gpu or ""), hint="how many in each replica; 0 for none",
        line=cover.line(*base, "units"),
    )  # fmt: skip
    for vendor, listed in fields(child(compute.resources, "gpu", "attributes", "vendor")).items():
        path = (*base, "attributes", "vendor", vendor)
        yield FormRow(
            key=f"{key}:vendor:{vendor}", label="vendor", value=vendor, field="gpu-vendor", args=(*args, vendor),
            text=vendor, hint="nvidia or amd", known="gpu-vendors", line=cover.look(*path),
        )  # fmt: skip
        models = elements(listed)
        if not models:
            cover.line(*path)
            yield _model(key, (*args, vendor, 0), "", 0)
        for index, node in enumerate(models):
            place = (*args, vendor, index)
            cover_line = cover.line(*path, index, "model")
            yield _model(key, place, string(child(node, "model")), cover_line, is_removable=len(models) > 1)
            for label, name, hint in (
                ("GPU RAM", "ram", "such as 80Gi (empty: any)"),
                ("interface", "interface", "pcie or sxm; empty for any"),
            ):
                value = string(child(node, name))
                yield FormRow(
                    key=f"{key}:{name}:{vendor}:{index}", label=label, value=value or "any", field=f"gpu-{name}",
                    args=place, text=value, hint=hint, line=cover.line(*path, index, name), known=f"gpu-{name}",
                )  # fmt: skip
        if models:
            yield FormRow(
                key=f"{key}:model:{vendor}:+", kind="add", label="+ or model", field="gpu-add", args=(*args, vendor),
                hint="another model that would do as well", known="gpu-models",
            )  # fmt: skip


def _model(key: str, args: tuple[Step, ...], model: str, line: int, *, is_removable: bool = False) -> FormRow:
    return FormRow(
        key=f"{key}:model:{args[1]}:{args[2]}", label="model" if args[2] == 0 else "or model", value=model or "any",
        note="" if model else "any model, at the price of the most expensive", tone="" if model else "warn",
        field="gpu-model", args=args, text=model, hint="such as h100 (empty: any)", known="gpu-models", line=line,
        is_removable=is_removable,
    )  # fmt: skip


# --- volumes ---------------------------------------------------------------------------------------------------------


def _volumes(cover: Cover, key: str, service: Service, compute: Compute, *, is_ray: bool) -> Iterator[FormRow]:
    is_list = not isinstance(child(compute.resources, "storage"), Mapping)
    base: tuple[Step, ...] = ("profiles", "compute", compute.name, "resources", "storage")
    for index, volume in enumerate(compute.volumes):
        path = (*base, index) if is_list else base
        for name in ("name", "size"):
            cover.line(*path, name)
        for name in ("persistent", "class"):
            cover.line(*path, "attributes", name)
        mount = _mount(service, volume)
        if mount:
            cover.line("services", service.name, "params", "storage", volume.name, "mount")
        place = (compute.name, index if is_list else -1)
        yield _size(key, volume, mount, place, cover.look(*path, "size"))
        if volume.storage_class != "ram" and (volume.persistent or volume.name != "default"):
            yield _kind(key, volume, place, cover.look(*path, "attributes"))
            yield FormRow(
                key=f"{key}:mount:{volume.name}", label="  mounted at", value=mount or "–", field="mount",
                args=(service.name, volume.name), text=mount, hint="a path such as /data",
                tone="warn" if volume.persistent and not mount else "",
                line=cover.look("services", service.name, "params", "storage", volume.name, "mount"),
            )  # fmt: skip
    if is_ray and not any(volume.storage_class == "ram" for volume in compute.volumes):
        yield FormRow(
            key=f"{key}:shm", label="shm", value="–", note="64 MB without it, too little for Ray", tone="warn",
            field="shm", args=(service.name, compute.name), hint="such as 8Gi: memory that Ray's processes share",
        )  # fmt: skip
    yield FormRow(
        key=f"{key}:volume:+", kind="add", label="+ volume", field="volume-add", args=(service.name, compute.name),
        hint="NAME SIZE /PATH, such as data 100Gi /data: kept while the lease lives",
    )  # fmt: skip


def _size(key: str, volume: Volume, mount: str, args: tuple[Step, ...], line: int) -> FormRow:
    size = string(child(volume.node, "size"))
    is_shm = volume.storage_class == "ram"
    label = "shm" if is_shm else "disk" if volume.name == "default" else f"volume {volume.name}"
    note = f"memory, at {mount}" if is_shm else "kept by the provider" if volume.persistent else "gone at a restart"
    return FormRow(
        key=f"{key}:volume:{volume.name}", label=label, value=size or "–", note=note if mount or not is_shm else
        "not mounted: params.storage of the service lacks it", field="volume", args=args, text=size, hint=SIZE,
        line=line, is_removable=volume.name != "default", tone="warn" if is_shm and not mount else "",
    )  # fmt: skip


def _kind(key: str, volume: Volume, args: tuple[Step, ...], line: int) -> FormRow:
    return FormRow(
        key=f"{key}:class:{volume.name}", label="  class", value=volume.storage_class or "–", field="class", args=args,
        text=volume.storage_class, hint="beta1 hard disk, beta2 SSD, beta3 NVMe; default", known="classes", line=line,
    )  # fmt: skip


def _mount(service: Service, volume: Volume) -> str:
    return string(child(service.mounts.get(volume.name), "mount"))
