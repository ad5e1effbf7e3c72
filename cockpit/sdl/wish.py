"""A cluster from a description: workers, GPU, price; the plan that follows, or what contradicts it."""

import difflib
import re
from decimal import ROUND_DOWN, Decimal
from typing import NoReturn

import msgspec

from cockpit.errors import UsageError
from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.sdl import gpu_models, ray_plan, rules
from cockpit.sdl.advice import CHEAPEST_GPU, DEAREST, DEAREST_GPU
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.go_limits import GROUP_FACTOR, MAX_CPU, MAX_MEMORY, MAX_STORAGE
from cockpit.sdl.plan import SHM, DiskPlan, GpuPlan, Plan, ServicePlan
from cockpit.sdl.quantities import GI, go_bytes, go_cpu, shown_bytes
from cockpit.sdl.ray_images import FIRST_WITH_TOKENS, PYTHONS, VERSIONS, release, stock_image
from cockpit.sdl.ray_plan import UACT_PER_USD_HOUR, Size
from cockpit.sdl.writer import sdl_text

# The Akash core team's auditor, which most SDLs of the public gallery ask for.
AUDITOR = "akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63"
CLASSES = ("beta3", "beta2", "beta1", "default")
# No node of a provider has more.
MOST_GPUS = 8
# What a card may cost in US dollars per hour where no price is wished for; offers come below it. A fifth to a third
# above bids seen from July to September 2026 (public probes through Akash Console): h100 2.55, a100 1.84, rtx5090 0.70,
# older 24 GB cards from 0.05. No bid of an h200 or a800 was seen: theirs follow the h100's. `offers` has those of now.
CEILINGS = {name: Decimal(usd) for name, usd in (("h200", "4"), ("h100", "3"), ("a800", "3"), ("a100", "2.4"))}
USUAL_CEILING, UNKNOWN_CEILING = Decimal("0.9"), Decimal(4)


class Gpu(msgspec.Struct, frozen=True):
    """A card: model, then memory and interface where they matter."""

    model: str
    ram: str = ""
    interface: str = ""


class Ceiling(msgspec.Struct, frozen=True):
    """The most to pay in US dollars per hour: for each GPU, or for the whole cluster."""

    usd: Decimal
    per_gpu: bool


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster should be; None leaves it to the size of the cards. Sizes in bytes, CPU in thousandths."""

    name: str
    workers: int | None = None
    gpu: Gpu | None = None
    gpus_per_worker: int | None = None
    head_gpu: bool = False
    cpu: int | None = None
    memory: int | None = None
    shm: int | None = None
    disk: int | None = None
    persistent: DiskPlan | None = None
    region: str = ""
    audited: bool = False
    ray: str = ""
    python: str = ""
    image: str = ""
    ceiling: Ceiling | None = None
    store: str = ""
    tracking: bool = False
    serve: bool = False
    title: str = ""


PRESETS: dict[str, Wish] = {
    "ray-cpu": Wish(name="ray-cpu", title="A Ray cluster without GPUs: one head and two workers."),
    "ray-gpu": Wish(
        name="ray-gpu", gpu=Gpu("rtx4090"), workers=1, head_gpu=True,
        title="A Ray cluster of two GPUs: a head with one, and a worker with one.",
    ),
    "ray-gpu-1x6": Wish(
        name="ray-gpu-1x6", gpu=Gpu("a100", "80Gi"), workers=6,
        title="A Ray cluster for training: one head, and six workers with a GPU each.",
    ),
    "ray-gpu-storage": Wish(
        name="ray-gpu-storage", gpu=Gpu("rtx4090"), workers=1, head_gpu=True, store="s3", tracking=True,
        title="A Ray cluster of two GPUs, with keys for an S3 store and for Weights & Biases.",
    ),
}  # fmt: skip


class Written(msgspec.Struct, frozen=True):
    """The SDL that a wish leads to, and what to tell beside it."""

    text: str
    title: str
    notices: tuple[str, ...] = ()


def written(wish: Wish) -> Written:
    """The SDL. Raises UsageError for wishes that contradict each other or that no provider meets, with the nearest."""
    check(wish)
    plan = plan_of(wish)
    text = sdl_text(plan)
    problems = [one for one in rules.lint(SdlDocument(text)).problems if one.severity != "info"]
    if problems:
        refuse(f"This cluster cannot be described: {problems[0].message}")
    return Written(text, plan.title, tuple(_notices(wish)))


# --- what is wrong with a wish ---------------------------------------------------------------------------------------


def refuse(title: str, hint: str = "") -> NoReturn:
    """Say what is wrong and what is the nearest."""
    raise UsageError(title, hint=hint)


def check(wish: Wish) -> None:
    """Raises UsageError, see `written`."""
    if wish.gpu is None:
        for given, option in ((wish.gpus_per_worker, "--gpus-per-worker"), (wish.head_gpu, "--head-gpu")):
            if given:
                refuse(f"{option} needs a GPU model.", "Add --gpu, e.g. --gpu rtx4090.")
        if wish.ceiling is not None and wish.ceiling.per_gpu:
            refuse("A price per GPU needs a GPU model.", "Add --gpu, or give the price of the whole: 4.50/h.")
    else:
        _check_gpu(wish.gpu, wish.gpus_per_worker or 1, wish.workers)
    if wish.image and (wish.ray or wish.python):
        refuse("--image already says which Ray and Python run.", "Leave out --ray and --python, or --image.")
    check_versions(wish)
    _check_sizes(wish)


def _check_gpu(gpu: Gpu, count: int, workers: int | None) -> None:
    if count > MOST_GPUS:
        total = count * (2 if workers is None else workers)
        hint = f"The nearest: --workers {-(-total // MOST_GPUS)} --gpus-per-worker {MOST_GPUS}."
        refuse(f"No provider has a node with {count} GPUs; a node has at most {MOST_GPUS}.", hint)
    if gpu.interface and gpu.interface not in gpu_models.INTERFACES:
        refuse(f"Invalid GPU interface: {gpu.interface!r}.", f"Use {' or '.join(gpu_models.INTERFACES)}.")
    if gpu.ram and go_bytes(gpu.ram) is None:
        refuse(f"Invalid GPU memory: {gpu.ram!r}.", "Use Gi, e.g. --gpu h100:80Gi.")
    card = gpu_models.BY_MODEL.get(gpu.model)
    if card is None:
        return
    if gpu.ram and gpu.ram not in card.ram:
        refuse(f"No {gpu.model} has {gpu.ram}.", f"The nearest: --gpu {gpu.model}:{_nearest(gpu.ram, card.ram)}.")
    if gpu.interface and gpu.interface not in card.interfaces:
        ram = gpu.ram or card.ram[0]
        hint = f"The nearest: --gpu {gpu.model}:{ram}:{card.interfaces[0]}."
        refuse(f"No {gpu.model} has the interface {gpu.interface}.", hint)


def _nearest(wanted: str, sizes: tuple[str, ...]) -> str:
    size = go_bytes(wanted) or 0
    return min(sizes, key=lambda one: abs((go_bytes(one) or 0) - size))


def check_versions(wish: Wish) -> None:
    """Raises UsageError for releases of Ray and Python without images, or without token authentication."""
    number = release(wish.ray) if wish.ray else FIRST_WITH_TOKENS
    if number is None or not re.fullmatch(r"\d+\.\d+\.\d+", wish.ray or "0.0.0"):
        near = [*difflib.get_close_matches(wish.ray, VERSIONS, 1, 0.3), VERSIONS[0]]
        refuse(f"Invalid Ray version: {wish.ray!r}.", f"The nearest: --ray {near[0]}.")
    if number < FIRST_WITH_TOKENS:
        hint = f"The nearest: --ray {VERSIONS[-1]}; the newest is {VERSIONS[0]}."
        refuse(f"Ray {wish.ray} does not support token authentication, so anyone could run code on the cluster.", hint)
    if wish.python and wish.python not in PYTHONS:
        near = [*difflib.get_close_matches(wish.python, PYTHONS, 1, 0.3), PYTHONS[0]]
        refuse(f"Ray does not publish an image for Python {wish.python}.", f"The nearest: --python {near[0]}.")


def _check_sizes(wish: Wish) -> None:
    workers = 2 if wish.workers is None else wish.workers
    if workers < 1:
        refuse(f"Invalid number of workers: {workers}.", "Use 1 or more.")
    size = _worker_size(wish, Decimal(1))
    for amount, least, most, option, shown in (
        (size.cpu, 1000, MAX_CPU, "--cpu", lambda one: f"{one / 1000:g}"),
        (size.memory, 2 * GI, MAX_MEMORY, "--memory", shown_bytes),
        (size.shm, max(GI, size.memory // 10), MAX_MEMORY, "--shm", shown_bytes),
        (size.disk, GI, MAX_STORAGE, "--disk", shown_bytes),
        (wish.persistent.size if wish.persistent else GI, GI, MAX_STORAGE, "--persistent", shown_bytes),
    ):
        if not least <= amount <= most:
            nearest = least if amount < least else most
            bound = "at least" if amount < least else "at most"
            refuse(
                f"{option} {shown(amount)} is not possible: {bound} {shown(nearest)}.",
                f"The nearest: {shown(nearest)}.",
            )
    for each, most, words in (
        (size.cpu, MAX_CPU * GROUP_FACTOR, "CPUs"), (size.memory + size.shm, MAX_MEMORY * GROUP_FACTOR, "memory"),
    ):  # fmt: skip
        if each * (workers + 1) > most:
            refuse(
                f"{workers} workers need more {words} than Akash allows in one group.",
                f"The nearest: --workers {most // each - 1}.",
            )
    if size.gpu and size.gpu.units * (workers + 1) > 24 * GROUP_FACTOR:
        refuse(
            f"{workers} workers need more GPUs than Akash allows in one group.",
            f"The nearest: --workers {24 * GROUP_FACTOR // size.gpu.units - 1}.",
        )
    if wish.shm is not None and wish.memory is not None and wish.shm > 4 * wish.memory:
        refuse(
            f"--shm {shown_bytes(wish.shm)} is more than four times the memory.",
            f"The nearest: --shm {shown_bytes(wish.memory)}.",
        )


def _notices(wish: Wish) -> list[str]:
    if wish.gpu is None or wish.gpu.model in gpu_models.BY_MODEL:
        return []
    near = difflib.get_close_matches(wish.gpu.model, gpu_models.BY_MODEL, 3, 0.5)
    nearest = f" The nearest: {', '.join(near)}." if near else ""
    known = f"No provider announced the GPU model {wish.gpu.model} on {gpu_models.AS_OF}; there may be no bids."
    return [known + nearest]


# --- from a wish to a plan -------------------------------------------------------------------------------------------


def plan_of(wish: Wish) -> Plan:
    """The services that a checked wish asks for."""
    workers = 2 if wish.workers is None else wish.workers
    image = wish.image or stock_image(wish.ray or VERSIONS[0], wish.python or PYTHONS[0], gpu=wish.gpu is not None)
    env, notes = _store_env(wish)
    size = _worker_size(wish, _card_price(wish))
    services: tuple[ServicePlan, ...] = (
        ray_plan.gateway(serve=wish.serve),
        ray_plan.head(_head_size(wish), image, env=env, workers=(ray_plan.WORKER_NAME,), serve=wish.serve, notes=notes),
        ray_plan.worker(size, image, env=env, count=workers, serve=wish.serve, notes=notes),
    )
    if wish.ceiling is not None and not wish.ceiling.per_gpu:
        services = _scaled(services, wish.ceiling.usd)
    _check_prices(services)
    return Plan(
        title=wish.title or _title(wish, workers),
        notes=notes_for(wish.name, [name for name, value in env if value.startswith(REFERENCE_PREFIX)]),
        services=services,
        attributes=(("region", wish.region),) if wish.region else (),
        signed_by=(AUDITOR,) if wish.audited else (),
    )


def _title(wish: Wish, workers: int) -> str:
    count = f"{workers} worker{'s' if workers != 1 else ''}"
    if wish.gpu is None:
        return f"A Ray cluster without GPUs: one head and {count}."
    units = wish.gpus_per_worker or 1
    cards = f"{units} GPU{'s' if units != 1 else ''} ({wish.gpu.model})"
    head = f" with {cards}" if wish.head_gpu else ""
    return f"A Ray cluster: one head{head}, and {count} with {cards}{' each' if workers != 1 else ''}."


def notes_for(name: str, secrets: list[str]) -> tuple[str, ...]:
    """What stands below the title: how to go on."""
    file = f"{name}.yaml"
    first, *rest = secrets or [""]
    others = (
        f"\n  {f'rayakash-tui secrets set {first}':<44}" + ("  # and the others below" if rest else "") if first else ""
    )
    steps = f"""
Store what the file refers to (no value is ever in it), check it, try it in containers on this machine, and send it:

  rayakash-tui secrets generate RAY_AUTH_TOKEN
  rayakash-tui secrets generate tls             # the gateway's key and certificate{others}
  rayakash-tui sdl lint {file}
  rayakash-tui sdl up {file}
  rayakash-tui sdl render {file} --copy    # for the Console; or -o FILE for the command line

`rayakash-tui help sdl` explains the scripts. An update can change images, env, commands and args. Resources, counts,
prices and public ports need a new deployment."""
    return tuple(line.rstrip() for line in steps.split("\n"))


def _store_env(wish: Wish) -> tuple[ray_plan.Env, dict[str, str]]:
    def reference(name: str) -> str:
        return REFERENCE_PREFIX + name

    key, secret, region = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "us-east-1"
    title = "Amazon S3."
    address: tuple[str, ...] = ()
    if wish.store in ("r2", "b2", "minio"):
        address = ("AWS_ENDPOINT_URL_S3", "FSSPEC_S3_ENDPOINT_URL")
    match wish.store:
        case "r2":
            region, title = "auto", "Cloudflare R2; AWS_ENDPOINT_URL_S3 is https://ACCOUNT.r2.cloudflarestorage.com."
        case "b2":
            key, secret = "B2_APPLICATION_KEY_ID", "B2_APPLICATION_KEY"
            title = "Backblaze B2; AWS_ENDPOINT_URL_S3 is https://s3.REGION.backblazeb2.com."
        case "minio":
            key, secret = "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"
            title = "MinIO; AWS_ENDPOINT_URL_S3 is https://HOST:9000."
    env: list[tuple[str, str]] = []
    if wish.store:
        env = [("AWS_ACCESS_KEY_ID", reference(key)), ("AWS_SECRET_ACCESS_KEY", reference(secret))]
        env += [("AWS_DEFAULT_REGION", region), *((name, reference(address[0])) for name in address)]
    if wish.tracking:
        env += [("WANDB_API_KEY", reference("WANDB_API_KEY")), ("WANDB_PROJECT", "ray-on-akash")]
    libraries = "Under Amazon's names, which boto3, s3fs and pyarrow read."
    return tuple(env), {"AWS_ACCESS_KEY_ID": f"{title} {libraries}", "WANDB_API_KEY": "Weights & Biases"}


def _card_price(wish: Wish) -> Decimal:
    """US dollars per hour for one card."""
    if wish.ceiling is not None and wish.ceiling.per_gpu:
        return wish.ceiling.usd
    return card_ceiling(wish.gpu.model) if wish.gpu else Decimal(0)


def card_ceiling(model: str) -> Decimal:
    """What a card may cost in US dollars per hour where nothing else is said."""
    return CEILINGS.get(model, USUAL_CEILING if model in gpu_models.BY_MODEL else UNKNOWN_CEILING)


def gpu_price(usd: Decimal, units: int) -> Decimal:
    """Uact per block for a replica of so many cards."""
    return _whole(usd * UACT_PER_USD_HOUR * units)


def cpu_price(cpu: int, memory: int) -> Decimal:
    """Uact per block for a replica without a GPU."""
    return max(Decimal(100), _whole(Decimal(cpu) / 40 + Decimal(memory) / GI * Decimal("6.25")))


def _gpu_plan(wish: Wish) -> GpuPlan | None:
    if wish.gpu is None:
        return None
    return GpuPlan(wish.gpus_per_worker or 1, ((wish.gpu.model, wish.gpu.ram, wish.gpu.interface),))


def _worker_size(wish: Wish, card_price: Decimal) -> Size:
    gpu = _gpu_plan(wish)
    cpu, memory, shm, disk = 4000, 8 * GI, 3 * GI, 20 * GI
    if wish.gpu is not None and gpu is not None:
        card = gpu_models.BY_MODEL.get(wish.gpu.model)
        ram = go_bytes(wish.gpu.ram or (card.ram[0] if card else "80Gi")) or 0
        cpu, memory, shm, disk = (
            (12_000, 96 * GI, 32 * GI, 200 * GI) if ram >= 40 * GI else (8000, 32 * GI, 10 * GI, 100 * GI)
        )
        cpu, memory, shm = cpu * gpu.units, memory * gpu.units, shm * gpu.units
    if wish.memory is not None:
        memory, shm = wish.memory, max(GI, wish.memory // 3 // GI * GI)
    cpu, shm, disk = wish.cpu or cpu, wish.shm if wish.shm is not None else shm, wish.disk or disk
    volumes = (wish.persistent,) if wish.persistent else ()
    price = gpu_price(card_price, gpu.units) if gpu is not None else cpu_price(cpu, memory)
    return Size(cpu, memory, shm=shm, disk=disk, price=price, gpu=gpu, volumes=volumes)


def _head_size(wish: Wish) -> Size:
    if wish.head_gpu:
        return _worker_size(wish, _card_price(wish))
    cpu, memory, shm, disk = (8000, 32 * GI, 10 * GI, 100 * GI) if wish.gpu else (2000, 4 * GI, 2 * GI, 20 * GI)
    volumes = (wish.persistent,) if wish.persistent else ()
    return Size(cpu, memory, shm=shm, disk=disk, price=cpu_price(cpu, memory), volumes=volumes)


def _whole(price: Decimal) -> Decimal:
    return price.to_integral_value(ROUND_DOWN)


def _scaled(services: tuple[ServicePlan, ...], usd: Decimal) -> tuple[ServicePlan, ...]:
    """Prices that together are at most `usd` an hour, in the proportion that they had."""
    total = sum((one.price * one.count for one in services), Decimal(0))
    factor = usd * UACT_PER_USD_HOUR / total
    return tuple(msgspec.structs.replace(one, price=_whole(one.price * factor)) for one in services)


def _check_prices(services: tuple[ServicePlan, ...]) -> None:
    """Raises UsageError for prices that no provider takes, and for those of a slip of the finger."""
    for one in services:
        units = one.gpu.units if one.gpu else 0
        hourly = one.price / UACT_PER_USD_HOUR
        if one.price < 1 or hourly < Decimal(str(CHEAPEST_GPU)) * units:
            refuse(
                f"The price is too low: no provider bids that little for {one.name}.",
                f"A GPU costs at least ${CHEAPEST_GPU}/h, and every service something.",
            )
        most = Decimal(str(DEAREST_GPU)) * units or Decimal(str(DEAREST))
        if hourly > most:
            refuse(
                f"The price is too high: ${hourly:.2f}/h for each {one.name}.",
                f"The nearest: at most ${most:g}/h for it.",
            )


# --- reading what was typed ------------------------------------------------------------------------------------------


def read_gpu(text: str) -> Gpu:
    """`MODEL[:RAM[:INTERFACE]]`; h100, h100:80Gi, h100:80Gi:sxm. Raises UsageError."""
    model, *rest = text.strip().lower().split(":")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", model) or len(rest) > 2:
        refuse(f"Invalid GPU: {text!r}.", "Use MODEL[:RAM[:INTERFACE]], e.g. h100:80Gi:sxm.")
    if len(rest) == 1 and rest[0] in gpu_models.INTERFACES:
        return Gpu(model, "", rest[0])
    return Gpu(model, _spelled(rest[0]) if rest else "", rest[1] if len(rest) > 1 else "")


def _spelled(ram: str) -> str:
    """`80`, `80g`, `80gb` and `80gi` as providers write it: 80Gi."""
    found = re.fullmatch(r"(\d+)(?:g(?:i?b?)?)?", ram)
    return f"{found[1]}Gi" if found else ram


def read_size(text: str, option: str) -> int:
    """A size in bytes. Raises UsageError."""
    size = go_bytes(text.strip())
    if size is None or not re.fullmatch(r"[\d.]+[KMGT]i", text.strip()):
        number = re.match(r"\d+(?:\.\d+)?", text)
        refuse(
            f"Invalid size for {option}: {text!r}.", f"Use Ki, Mi, Gi or Ti, e.g. {number[0] if number else '96'}Gi."
        )
    return size


def read_cpu(text: str) -> int:
    """CPUs in thousandths. Raises UsageError."""
    cpu = go_cpu(text.strip())
    if not cpu:
        refuse(f"Invalid number of CPUs: {text!r}.", "Use e.g. 8 or 0.5.")
    return cpu


def read_persistent(text: str) -> DiskPlan:
    """`CLASS:SIZE:MOUNT`, e.g. beta3:500Gi:/data. Raises UsageError."""
    parts = text.split(":", 2)
    if len(parts) != 3:
        refuse(f"Invalid volume: {text!r}.", "Use CLASS:SIZE:PATH, e.g. beta3:500Gi:/data.")
    kind, size, mount = parts
    if kind not in CLASSES:
        near = [*difflib.get_close_matches(kind, CLASSES, 1, 0.3), CLASSES[0]]
        refuse(f"Unknown storage class: {kind!r}.", f"The nearest: {near[0]}. Akash has {', '.join(CLASSES)}.")
    if not re.fullmatch(r"/[\w.-][\w./-]*", mount, re.ASCII) or (mount.rstrip("/") + "/").startswith(SHM + "/"):
        refuse(f"Invalid mount path: {mount!r}.", "Use an absolute path such as /data.")
    return DiskPlan("data", read_size(size, "--persistent"), kind, mount)


def read_ceiling(text: str) -> Ceiling:
    """`0.60/gpu-h` or `4.50/h`, in US dollars. Raises UsageError."""
    found = re.fullmatch(r"\$?(\d{1,6}(?:\.\d{1,6})?)/(gpu-h|h)", text.strip())
    if found is None or not Decimal(found[1]):
        refuse(f"Invalid price: {text!r}.", "Use US dollars per hour: 4.50/h for the whole, 0.60/gpu-h for each GPU.")
    return Ceiling(Decimal(found[1]), found[2] == "gpu-h")
