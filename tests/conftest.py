"""What all tests share."""

from __future__ import annotations

import hypothesis
import pytest

pytest.register_assert_rewrite("tests.storage.archive_suite")

# How long an example takes says how busy the machine is, nothing else.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
