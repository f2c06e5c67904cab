"""What a client keeps on disk is whole after a write that was not."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.freeze.kept import Kept

SNAPSHOT, DELTA, LATER = b"s" * 1_000, b"d" * 500, b"l" * 300


@contextmanager
def _room(size: int) -> Iterator[None]:
    """No file grows beyond: a write of more is cut off there, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("spare", [0, 3, 100])
def test_what_was_half_written_is_taken_back_and_written_later_in_its_order(tmp_path: Path, spare: int) -> None:
    kept = Kept(tmp_path / "kept")
    kept.replace(SNAPSHOT)
    size = (tmp_path / "kept").stat().st_size
    with _room(size + spare):
        with pytest.raises(OSError, match="File too large"):
            kept.add(DELTA)
        assert kept.is_behind
        assert (tmp_path / "kept").stat().st_size == size
    assert list(Kept(tmp_path / "kept").bodies()) == [SNAPSHOT]
    kept.add(LATER)
    assert not kept.is_behind
    assert list(Kept(tmp_path / "kept").bodies()) == [SNAPSHOT, DELTA, LATER]


def test_a_snapshot_that_does_not_fit_leaves_the_one_before(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept")
    kept.replace(SNAPSHOT)
    with _room(1_200), pytest.raises(OSError, match="File too large"):
        kept.replace(SNAPSHOT + DELTA)
    assert list(Kept(tmp_path / "kept").bodies()) == [SNAPSHOT]
    kept.catch_up()
    assert list(Kept(tmp_path / "kept").bodies()) == [SNAPSHOT, SNAPSHOT + DELTA]


@pytest.mark.parametrize("cut", [1, 7, 8, 200])
def test_what_a_crash_cut_off_is_left_out(tmp_path: Path, cut: int) -> None:
    kept = Kept(tmp_path / "kept")
    kept.replace(SNAPSHOT)
    kept.add(DELTA)
    whole = (tmp_path / "kept").read_bytes()
    (tmp_path / "kept").write_bytes(whole[:-cut])
    again = Kept(tmp_path / "kept")
    assert list(again.bodies()) == [SNAPSHOT]
    again.add(LATER)
    assert list(Kept(tmp_path / "kept").bodies()) == [SNAPSHOT, LATER]
