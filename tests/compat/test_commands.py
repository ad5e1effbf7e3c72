"""Commands on an older Ray: the live tests again, which know what it lacks."""

import pytest

from tests.live.test_commands import *  # noqa: F403 - every test of it, and the fixtures that they share

pytestmark = pytest.mark.compat
