"""The demo's sample jobs are where they are looked for, each with the file that it runs."""

import pytest

from cockpit.operations.jobs.samples import SAMPLES, sample_forms
from cockpit.operations.jobs.submit import SubmitForm, prepare


@pytest.mark.parametrize("form", sample_forms(), ids=lambda form: form.submission_id)
async def test_each_can_be_submitted(form: SubmitForm) -> None:
    prepared = await prepare(form)
    assert prepared.plan is not None
    assert (SAMPLES / form.entrypoint.split()[1]).is_file()
