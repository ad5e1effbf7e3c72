"""The client, call by call, on an older Ray: the live tests again, which know what it lacks."""

import pytest

from tests.live.test_client import *  # noqa: F403 - every test of it, and the fixtures that they share

pytestmark = pytest.mark.compat
