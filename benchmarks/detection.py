"""Score the detectors on simulated journals: `make eval`, where CEXWATCH_TOOLS names the simulators and the scorer."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from monitor.replay.replay import replay_file

SCENARIOS = {"halt": 14, "flags": 18, "flow": 30}  # scenario -> days under judgement
SEEDS = (1, 2, 3)


class Score(msgspec.Struct, frozen=True):
    events: int
    found: int
    kind_right: int
    median_delay_min: float | None
    p90_delay_min: float | None
    share_within_2_min: float
    share_within_5_min: float
    false_pages: int
    paged_must_not_page: int


def score(tools: Path, folder: Path, *, scenario: str, seed: int) -> tuple[Score, float]:
    """One simulated journal, replayed and scored; with the entries per CPU second of the replay."""
    journal, truth, out = (folder / f"{scenario}{seed}.{end}" for end in ("jsonl", "truth", "out"))
    simulator = [sys.executable, str(tools / "simulate_journal.py"), scenario, "--seed", str(seed)]
    subprocess.run([*simulator, "--out", str(journal), "--truth", str(truth)], check=True)  # noqa: S603 - our own paths
    started = time.process_time()
    replay_file(journal, out, judging=None, progress=lambda _, __: None)
    seconds = time.process_time() - started
    entries = journal.read_bytes().count(b"\n")
    scorer = [sys.executable, str(tools / "score_transitions.py"), str(out), str(truth)]
    days = ["--days", str(SCENARIOS[scenario])]
    scored = subprocess.run([*scorer, *days], check=True, capture_output=True)  # noqa: S603 - our own paths
    return msgspec.convert(json.loads(scored.stdout), Score), entries / seconds


def main() -> None:
    tools = os.environ.get("CEXWATCH_TOOLS")
    if tools is None:
        sys.exit("CEXWATCH_TOOLS is not set: it names the folder with simulate_journal.py and score_transitions.py")
    print("scenario seed  found  kind  median   p90  <=2min  <=5min  false  unwanted  entries/CPU s")
    with tempfile.TemporaryDirectory() as folder:
        for scenario in SCENARIOS:
            for seed in SEEDS:
                s, speed = score(Path(tools), Path(folder), scenario=scenario, seed=seed)
                delays = f"{s.median_delay_min!s:>6} {s.p90_delay_min!s:>5}"
                shares = f"{s.share_within_2_min:>6.0%} {s.share_within_5_min:>6.0%}"
                print(
                    f"{scenario:<8} {seed:>4} {s.found:>3}/{s.events:<3} {s.kind_right:>3}  {delays}  {shares}"
                    f"  {s.false_pages:>5}  {s.paged_must_not_page:>8}  {speed:>12,.0f}"
                )


if __name__ == "__main__":
    main()
