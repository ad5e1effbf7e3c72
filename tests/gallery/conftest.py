"""A real Ray with its libraries and CPU torch: `make test-gallery` sets up their environment."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gallery.pythons import HAS_PEFT, LONG, python_that
from tests.live.cluster import started_head
from tests.live.command_line import CommandLine
from tests.live.node import RayHead
from tests.live.release import RAY_BIN


@pytest.fixture(scope="module")
def head() -> Iterator[RayHead]:
    """A head with four CPUs, one for each file: what an application of Serve holds would starve the samples."""
    if not os.environ.get(RAY_BIN):
        pytest.skip(f"needs {RAY_BIN}, the bin directory of an environment with Ray's libraries: make test-gallery")
    with started_head(num_cpus=4) as head:
        yield head


@pytest.fixture(scope="module")
def gallery(head: RayHead, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Our command line, told of the head by its environment."""
    variables = {"RAYAKASH_ADDRESS": head.address, "RAY_AUTH_TOKEN": head.token}
    return CommandLine(tmp_path_factory.mktemp("home"), variables)


@pytest.fixture
def storage(tmp_path: Path) -> str:
    """Where checkpoints go."""
    return str(tmp_path / "storage")


# A model of a few thousand parameters and its tokenizer, made here instead of downloaded.
TINY = """
import sys
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

text = "the cluster trains a small model and adapter learns this sentence by heart ."
words = {word: at for at, word in enumerate(["<unk>", *text.split()])}
raw = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
raw.pre_tokenizer = pre_tokenizers.Whitespace()
PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>").save_pretrained(sys.argv[1])
config = GPT2Config(vocab_size=len(words), n_embd=32, n_layer=2, n_head=2, n_positions=128)
GPT2LMHeadModel(config).save_pretrained(sys.argv[1])
"""


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a small language model."""
    python = python_that(HAS_PEFT, "transformers and peft")
    folder = str(tmp_path_factory.mktemp("tiny"))
    subprocess.run([python, "-c", TINY, folder], check=True, capture_output=True, timeout=LONG)
    return folder
