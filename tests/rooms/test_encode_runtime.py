import os
import subprocess
import sys

import pytest
import torch

from kgreason import runtime
from kgreason.errors import ConfigError


def test_the_choice_of_precision() -> None:
    assert runtime.autocast_type("float32") is None
    assert runtime.autocast_type("bfloat16") is torch.bfloat16
    assert runtime.autocast_type("auto") is (torch.bfloat16 if runtime.has_bfloat16() else None)
    with pytest.raises(ConfigError, match="precision = 'half' is not known"):
        runtime.autocast_type("half")


def test_threads_and_waiting_are_set_before_torch_starts() -> None:
    code = """if True:
        import sys
        from kgreason import runtime
        runtime.tune(threads=1)
        assert "torch" not in sys.modules
        import os, torch
        print(os.environ["OMP_WAIT_POLICY"], torch.get_num_threads(), os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"])
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "ONEDNN_"))}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["PASSIVE", "1", "64"]


def test_freed_memory_is_kept_where_there_is_glibc() -> None:
    code = "import platform, kgreason.runtime as r; print(r.keep_freed_memory() == (platform.libc_ver()[0] == 'glibc'))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "True"


def test_fewer_than_no_threads() -> None:
    with pytest.raises(ConfigError, match="threads must not be negative, got -1"):
        runtime.tune(-1)
