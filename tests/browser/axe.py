"""What axe-core finds on a page, of what keeps people from using it."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

from tests.installed import needed

AXE = Path(__file__).parents[2] / ".tools/node_modules/axe-core/axe.min.js"
SERIOUS = ("serious", "critical")


def source() -> str:
    return needed(AXE).read_text(encoding="utf-8")


async def serious(page: Page, axe: str) -> list[str]:
    """The serious violations on what the page shows now."""
    await page.evaluate(axe)
    result = await page.evaluate("axe.run()")
    assert result["passes"], "it looked at something"
    return [_named(each) for each in result["violations"] if each["impact"] in SERIOUS]


def _named(violation: Any) -> str:
    return f"{violation['id']}: {[node['target'] for node in violation['nodes']]}"
