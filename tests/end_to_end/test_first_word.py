"""3 February told as the exchange: from the last payment to the first official word, and on to the last one."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT

import pytest

MINUTES = re.compile(r"Remember: ([\d.]+) minutes .* linter, and ([\d.]+) minutes after it the first official word")


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_the_first_word_comes_within_minutes() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", "demo", "--operator", "--listen", "127.0.0.1:0", stdout=PIPE, stderr=STDOUT
    )
    out, _ = await process.communicate()
    told = out.decode()
    assert process.returncode == 0, told
    posted = re.findall(r"POSTED \((\w+)\)", told)
    assert posted == ["investigating", "identified", "monitoring", "resolved"], told
    [(drafted, published)] = MINUTES.findall(told)
    assert float(drafted) <= 3, told
    assert float(published) <= 4, told
