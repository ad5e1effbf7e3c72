"""The form of an SDL: what it shows, what it leaves to the text, and that an edit changes nothing but its lines."""

import difflib
from decimal import Decimal

import pytest

from cockpit.errors import CockpitError, UsageError
from cockpit.model.akash.market import GpuModel, GpuOffer
from cockpit.operations.sdl_editor.check import check, plan_fixes
from cockpit.operations.sdl_editor.choices import asks_market, choices_of, words_of
from cockpit.operations.sdl_editor.form import form_of
from cockpit.operations.sdl_editor.form_edits import edit_of
from cockpit.operations.sdl_editor.form_removals import removal_of, remove_group
from cockpit.operations.sdl_editor.form_rows import FormRow
from cockpit.sdl import rules
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.market import Market
from cockpit.sdl.meaning import meaning_of
from cockpit.sdl.templates import all_templates, template_named

TEXT = template_named("ray-gpu-1x6").text


def rows(text: str, secrets: dict[str, str] | None = None) -> list[FormRow]:
    document = SdlDocument(text)
    return form_of(document, meaning_of(document), secrets)


def row(text: str, label: str, section: str) -> FormRow:
    inside = False
    for one in rows(text):
        inside = section in one.label if one.kind == "section" else inside
        if inside and one.label == label:
            return one
    raise AssertionError(f"no {label} in {section}")


def edited(text: str, label: str, section: str, value: str) -> str:
    document = SdlDocument(text)
    edit_of(row(text, label, section), value)(document)
    return document.text


def changes(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line[0] + line[1:].strip() for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


@pytest.mark.parametrize(
    ("label", "section", "value", "expected"),
    [
        ("count", "ray-worker", "8", ["-count: 6", "+count: 8"]),
        ("CPU", "ray-worker", "16", ["-units: 12", "+units: 16"]),
        ("CPU", "gateway", "500m", ["-units: 0.5", "+units: 500m"]),
        ("memory", "ray-head", "64 GB", ["-size: 32Gi", "+size: 64Gi"]),
        ("GPUs", "ray-worker", "2", ["-units: 1", "+units: 2"]),
        ("model", "ray-worker", "H100", ["-- model: a100", "+- model: h100"]),
        ("GPU RAM", "ray-worker", "40Gi", ["-ram: 80Gi", "+ram: 40Gi"]),
        ("GPU RAM", "ray-worker", "", ["-ram: 80Gi"]),
        ("interface", "ray-worker", "sxm", ["+interface: sxm"]),
        ("+ or model", "ray-worker", "h200", ["+- model: h200"]),
        ("vendor", "ray-worker", "amd", ["-nvidia:", "+amd:"]),
        ("shm", "ray-worker", "16Gi", ["-size: 32Gi", "+size: 16Gi"]),
        ("disk", "ray-worker", "300Gi", ["-- size: 200Gi", "+- size: 300Gi"]),
        ("price", "ray-worker", "$1.20", ["-amount: 4066", "+amount: 2033"]),
        ("price", "ray-worker", "1500", ["-amount: 4066", "+amount: 1500"]),
        ("port", "gateway", "8443 as 80", ["+as: 80"]),
        ("+ port", "gateway", "9000 as 80 global", ["+- port: 9000", "+as: 80", "+to:", "+- global: true"]),
        ("RAY_AUTH_MODE", "ray-head", "k8s", ["-- RAY_AUTH_MODE=token", "+- RAY_AUTH_MODE=k8s"]),
        ("+ env", "ray-head", "HF_TOKEN", ["+- HF_TOKEN=ac-secret://HF_TOKEN"]),
        ("+ env", "ray-head", "A=secret:B", ["+- A=ac-secret://B"]),
        ("+ attribute", "akash", "region=eu-west", ["+attributes:", "+region: eu-west"]),
        ("+ signer", "akash", "akash1x", ["+signedBy:", "+anyOf:", "+- akash1x"]),
    ],
)
def test_an_edit_changes_its_lines_and_nothing_else(label: str, section: str, value: str, expected: list[str]) -> None:
    after = edited(TEXT, label, section, value)
    assert sorted(changes(TEXT, after)) == sorted(expected)
    assert not rules.lint(SdlDocument(after)).problems or label in ("vendor", "port", "+ port", "RAY_AUTH_MODE")


def test_a_version_of_ray_or_python_is_that_of_head_and_workers() -> None:
    after = edited(edited(TEXT, "Ray", "ray-head", "2.52.0"), "Python", "ray-worker", "3.12")
    assert after.count("image: rayproject/ray:2.52.0-py312-gpu") == 2
    assert edited(TEXT, "CUDA", "ray-worker", "12.4").count("rayproject/ray:2.60.0-py311-cu124") == 1
    assert edited(TEXT, "CUDA", "ray-worker", "cpu").count("rayproject/ray:2.60.0-py311\n") == 1


def test_gpus_volumes_and_shared_memory_come_and_go_with_all_that_belongs_to_them() -> None:
    text = template_named("ray-cpu").text
    with_gpu = edited(text, "GPUs", "ray-worker", "1")
    assert row(with_gpu, "model", "ray-worker").value == "any"
    with_model = edited(with_gpu, "model", "ray-worker", "rtx4090")
    assert meaning_of(SdlDocument(with_model)).services[2].replicas[0].models[0].model == "rtx4090"
    assert edited(with_model, "GPUs", "ray-worker", "0") == text
    kept = edited(text, "+ volume", "ray-head", "data 100Gi /data")
    assert rules.lint(SdlDocument(kept)).portable
    assert row(kept, "  mounted at", "ray-head").value == "/data"
    gateway = edited(text, "+ volume", "gateway", "data 1Gi /data")
    assert rules.lint(SdlDocument(gateway)).portable


@pytest.mark.parametrize(
    ("label", "section", "value"),
    [
        ("count", "ray-worker", "0"), ("count", "ray-worker", "many"), ("CPU", "ray-worker", "0"),
        ("memory", "ray-worker", "lots"), ("price", "ray-worker", "-1"), ("price", "ray-worker", "$1.2.3"),
        ("port", "gateway", "99999"), ("+ port", "gateway", "http"), ("+ env", "ray-head", "1A=2"),
        ("+ env", "ray-head", "A=secret:B-C"), ("+ env", "ray-head", "RAY_AUTH_MODE=x"), ("Ray", "ray-head", "new"),
        ("Python", "ray-head", "2.7"), ("CUDA", "ray-head", "big"), ("image", "gateway", ""),
        ("+ volume", "ray-head", "data"), ("+ attribute", "akash", "region"), ("+ signer", "akash", ""),
    ],
)  # fmt: skip
def test_a_value_that_is_none_is_refused_with_a_sentence(label: str, section: str, value: str) -> None:
    with pytest.raises(UsageError) as refusal:
        edited(TEXT, label, section, value)
    assert refusal.value.title.endswith((".", "2.60.0.")) or ":" in refusal.value.title


def test_what_the_form_does_not_know_is_listed_with_its_line() -> None:
    found = [(one.label, one.line) for one in rows(TEXT) if one.kind == "also"]
    assert [label for label, _ in found] == [
        f"services.{name}.{key}" for name in ("gateway", "ray-head", "ray-worker") for key in ("command", "args")
    ]
    lines = TEXT.splitlines()
    assert all(label.rpartition(".")[2] in "\n".join(lines[line - 3 : line]) for label, line in found)


def test_every_row_of_every_template_points_at_its_line_and_can_be_written_back_unchanged() -> None:
    for template in all_templates():
        for one in rows(template.text):
            if one.kind != "field" or not one.text or one.field in ("group", "port", "cuda"):
                continue
            document = SdlDocument(template.text)
            edit_of(one, one.text)(document)
            assert document.text == template.text, one
            assert one.line > 0, one


def test_rows_that_can_be_removed_are_removed_and_the_file_can_still_be_read() -> None:
    for one in rows(TEXT):
        document = SdlDocument(TEXT)
        if one.is_removable:
            removal_of(one)(document)
            assert len(document.text) < len(TEXT)
            assert meaning_of(document).services
        elif one.kind == "field":
            with pytest.raises(CockpitError):
                removal_of(one)


def test_secrets_are_references_and_plain_ones_are_never_shown() -> None:
    text = TEXT.replace("- RAY_AUTH_MODE=token", "- HF_TOKEN=hf_simvalue", 1)
    assert row(text, "HF_TOKEN", "ray-head").tone == "error"
    assert all("hf_simvalue" not in repr(one) for one in rows(text))
    one = next(one for one in rows(TEXT, {"RAY_AUTH_TOKEN": "vault"}) if one.label == "RAY_AUTH_TOKEN")
    assert one.note == "● vault"
    missing = next(one for one in rows(TEXT, {}) if one.label == "RAY_AUTH_TOKEN")
    assert (missing.note, missing.tone) == ("○ missing", "warn")


def test_what_can_be_written_is_known_for_the_model_that_stands_beside_it() -> None:
    all_rows = rows(TEXT)
    ram = next(one for one in all_rows if one.field == "gpu-ram")
    assert choices_of(ram, all_rows, ()) == ["80Gi", "40Gi"]
    model = next(one for one in all_rows if one.field == "gpu-model")
    assert "h100" in choices_of(model, all_rows, ())
    env = next(one for one in all_rows if one.field == "env-add")
    assert "HF_TOKEN=secret:HF_TOKEN" in choices_of(env, all_rows, ())
    assert choices_of(all_rows[1], all_rows, ()) == []
    images = [row for row in all_rows if row.field == "image"]
    others = list(dict.fromkeys(row.text for row in images[1:] if row.text != images[0].text))
    assert others
    offered = choices_of(images[0], all_rows, ())
    assert offered[: len(others)] == others
    assert "rayproject/ray:2.60.0-py312" in offered
    assert images[0].text not in offered


def test_a_check_of_what_is_no_yaml_says_why_and_has_no_form() -> None:
    found = check("a: [", 7)
    assert (found.version, found.meaning, found.rows) == (7, None, ())
    assert found.failure is not None
    assert found.worst_by_row == {found.lint.problems[0].line - 1: "error"}


def test_the_plan_of_fixes_says_what_it_would_do_and_shows_no_secret() -> None:
    text = TEXT.replace("size: 32Gi", "size: 32gb", 1).replace("- RAY_AUTH_MODE=token", "- HF_TOKEN=hf_simvalue", 1)
    plan = plan_fixes(text, "x.yaml")
    assert plan.done
    assert any(line.startswith("+") and "32Gi" in line for line in plan.diff)
    assert "hf_simvalue" not in "\n".join(plan.diff)


def test_a_removed_group_takes_its_blank_line_and_the_port_that_was_for_it_alone() -> None:
    text = (
        'version: "2.0"\nservices:\n  web:\n    image: a:1\n'
        "    expose:\n      - port: 80\n        to:\n          - global: true\n"
        "      - port: 81\n        to:\n          - service: api\n\n"
        "  api:\n    image: b:1\n    expose:\n      - port: 8080\n"
        "        to:\n          - service: web\n\n  db:\n    image: c:1\n    expose:\n      - port: 5432\n        to:\n"
        "          - service: api\n          - service: web\n"
    )
    document = SdlDocument(text)
    remove_group(document, "api")
    assert document.text == (
        'version: "2.0"\nservices:\n  web:\n    image: a:1\n'
        "    expose:\n      - port: 80\n        to:\n          - global: true\n\n"
        "  db:\n    image: c:1\n    expose:\n      - port: 5432\n        to:\n          - service: web\n"
    )


def test_what_akash_offers_is_said_of_rows() -> None:
    found = rows(TEXT)
    market = Market(
        source="Offers now.",
        offers=(
            GpuOffer(
                gpu=GpuModel(model="a100", ram="80Gi", interface="sxm4"), free=9, providers=2, largest_free_node=8,
                min_usd_per_hour=Decimal(1), median_usd_per_hour=Decimal(2), max_usd_per_hour=Decimal(3),
            ),
        ),
    )  # fmt: skip
    count = next(row for row in found if row.key == "ray-worker:count:akash")
    say = words_of(count, found, market)
    assert say is not None
    assert say("6") == (
        "6 ray-worker would cost at most $14.40/h. 6 workers would cost about $12.00/h by the median of the offers."
    )
    assert (say(""), say("x"), say("9" * 99)) == ("", "", "")
    price = next(row for row in found if row.key == "ray-worker:price:akash")
    assert choices_of(price, found, (), market) == ["$2.50", "$3.00", "$1.00"]
    say = words_of(price, found, market)
    assert say is not None
    assert say("$1.20") == "2033 uact per block is $1.20/h for each replica. Offers of a100: median $2.00/h."
    assert say("4000").startswith("4000 uact per block is $2.36/h")
    assert say("cheap") == ""
    model = next(row for row in found if row.field == "gpu-model")
    assert choices_of(model, found, (), market)[0] == "a100"
    say = words_of(model, found, market)
    assert say is not None
    assert say("a100") == "9 free, 8 on one node, $1.00-3.00/h, 2 providers Offers now."
    assert say("h100") == "not offered now Offers now."
    assert [row.key for row in found if asks_market(row)]
    assert words_of(next(row for row in found if row.field == "image"), found, market) is None
