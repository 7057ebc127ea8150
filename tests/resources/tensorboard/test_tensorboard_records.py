"""The container of event files: checksums, and files that stop anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from event_files import scalar, write
from tensorboard.compat.tensorflow_stub import pywrap_tensorflow

from runframe.resources.tensorboard.crc import crc32c, masked
from runframe.resources.tensorboard.records import Records


def test_the_checksum_is_crc_32c() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0
    assert crc32c(bytes(32)) == 0x8A9136AA


@pytest.mark.parametrize("size", [1, 511, 512, 513, 1024, 5000])
def test_long_texts_have_the_same_checksum(size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    assert masked(data) == pywrap_tensorflow.masked_crc32c(data)


def test_a_file_cut_anywhere_is_read_up_to_the_cut(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole", *[(step, 1.0, [scalar("loss", step)]) for step in range(3)])
    records = Records(whole)
    payloads = list(records)
    assert (len(payloads), records.tear) == (4, None)
    ends = np.cumsum([16 + len(payload) for payload in payloads]).tolist()
    content = whole.read_bytes()
    assert ends[-1] == len(content)
    for length in range(len(content)):
        (tmp_path / "torn").write_bytes(content[:length])
        torn = Records(tmp_path / "torn")
        before = sum(end <= length for end in ends)
        assert list(torn) == payloads[:before]
        if length in (0, *ends):
            assert torn.tear is None
        else:
            assert torn.tear is not None
            assert (torn.tear.offset, torn.tear.records) == ([0, *ends][before], before)


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole", (1, 1.0, [scalar("loss", 1)]))
    content = whole.read_bytes()
    first = 16 + len(next(iter(Records(whole))))
    for place in range(first, len(content)):
        (tmp_path / "changed").write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        changed = Records(tmp_path / "changed")
        assert len(list(changed)) == 1
        assert changed.tear is not None and "checksum" in str(changed.tear)
