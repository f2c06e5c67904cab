"""`cexwatch doctor`: whether what only people can see works."""

from typing import Annotated

import typer

from monitor.cli.options import CONFIG, AsOption, ConfigOption


def doctor(
    phone: Annotated[bool, typer.Option("--phone", help="Show a code that a phone opens.")] = False,
    by: AsOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Look at what the machine cannot see by itself; so far: whether links open on a phone."""
    import asyncio

    from monitor.cli.outcome import Code, fail
    from monitor.cli.ringing import ring

    if not phone:
        fail("what shall it look at? --phone", code=Code.USAGE)
    asyncio.run(ring(config, by=by))
