"""The form of a job, from options and from the fields of the dialog: one dialect."""

import pytest

from cockpit.cli.main import build_parser
from cockpit.cli.submit import _form
from cockpit.errors import UsageError
from cockpit.model.quantities import parse_number, parse_pair
from cockpit.operations.jobs.fields import SubmitFields, form_of
from cockpit.operations.jobs.submit import SubmitForm


def from_options(*words: str) -> SubmitForm:
    args = build_parser(["submit"]).parse_args(["submit", *words])
    args.rest = ["python train.py"]
    return _form(args, SubmitForm(entrypoint=""))


def test_both_faces_read_the_same_form() -> None:
    typed = SubmitFields(
        entrypoint="python train.py", num_cpus="2", num_gpus="0.5", memory="16Gi", resources="chips=2.5",
        label_selector="zone=a", environment="A=b=c\n EMPTY=", metadata="owner=me", runtime_env='{"pip": ["x"]}',
    )  # fmt: skip
    given = from_options(
        "--num-cpus=2", "--num-gpus=0.5", "--memory=16Gi", "--resource=chips=2.5", "--label-selector=zone=a",
        "--env=A=b=c", "--env= EMPTY=", "--metadata=owner=me", '--runtime-env-json={"pip": ["x"]}',
    )  # fmt: skip
    assert given == form_of(typed)
    assert given.environment == {"A": "b=c", "EMPTY": ""}


@pytest.mark.parametrize("text", ["A", "=b", "", " =b"])
def test_both_faces_refuse_the_same_pairs(text: str) -> None:
    with pytest.raises(UsageError, match="KEY=VALUE"):
        from_options(f"--env={text}")
    with pytest.raises(UsageError, match="KEY=VALUE"):
        form_of(SubmitFields(entrypoint="x", environment=text or "=", metadata=""))


def test_a_number_that_is_none_is_refused_by_both() -> None:
    with pytest.raises(UsageError, match="'many' is not a number"):
        from_options("--resource=chips=many")
    with pytest.raises(UsageError, match="'many' is not a number"):
        form_of(SubmitFields(entrypoint="x", resources="chips=many"))


def test_an_error_repeats_no_more_than_the_beginning_of_what_was_typed() -> None:
    for parse in (parse_pair, parse_number):
        with pytest.raises(UsageError) as refused:
            parse("x" * 4000, "--env")
        assert len(refused.value.title) < 100
