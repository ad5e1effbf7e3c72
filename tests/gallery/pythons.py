"""A Python that has what a sample needs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.release import RAY_BIN

HAS_TORCH = "import torch"
HAS_CUDA = "import sys, torch; sys.exit(not torch.cuda.is_available())"
HAS_PEFT = "import peft, tokenizers, transformers"
LONG = 300.0  # seconds; the first import of torch and of its kernels takes its time


def python_that(program: str, what: str) -> str:
    """A Python that runs a program: of the environment that is named, of these tests, or of the machine."""
    named = os.environ.get(RAY_BIN)
    candidates = [str(Path(named) / "python")] if named else []
    for python in [*candidates, sys.executable, shutil.which("python3") or ""]:
        if python and subprocess.run([python, "-c", program], capture_output=True, timeout=LONG).returncode == 0:
            return python
    pytest.skip(f"needs a Python with {what}: name its bin directory in {RAY_BIN}")
