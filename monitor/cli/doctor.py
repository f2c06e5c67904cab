"""`cexwatch doctor`: whether all that the daemon leans on is well, and what to mend."""

from typing import Annotated

import typer

from monitor.cli.options import CONFIG, AsOption, ConfigOption


def doctor(
    phone: Annotated[bool, typer.Option("--phone", help="Show a code that a phone opens, and nothing else.")] = False,
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Ask everything that the daemon leans on once, and say what to mend: nothing is sent, kept or changed."""
    import asyncio

    from monitor.cli.configured import configured
    from monitor.cli.examining import examine
    from monitor.cli.outcome import Code, Ending, tell
    from monitor.cli.ringing import ring
    from monitor.cli.running import run
    from monitor.cli.screen import counting, visible
    from monitor.clock import Clock

    if phone:
        asyncio.run(ring(config, by=by))
        return
    loaded = configured(config)
    for warning in loaded.warnings:
        tell(f"warning: {warning}")
    with counting("looking", unit="probes") as progress:
        findings = run(examine(config, loaded.config, clock=Clock(), progress=progress))
    for finding in findings:
        print(f"{'ok' if finding.is_well else 'MEND':<4}  {finding.what}: {visible(finding.said)}")
    if not all(finding.is_well for finding in findings):
        raise Ending(Code.FAILED)
