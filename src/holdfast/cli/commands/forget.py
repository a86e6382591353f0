"""`holdfast forget PERSON`: blank a person's names in the store."""

from __future__ import annotations

import click

from holdfast.cli.confirming import agreed
from holdfast.cli.options import Invocation, common_options


@click.command()
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
def command(person: str, yes: bool, invocation: Invocation) -> int:
    """Blank every name of PERSON (user principal name, object id or full name) in the store, history included.

    What was concluded about connections stays, and so does the object id. As long as the tenant shows the
    person, the next scan reads the name again.
    """
    from holdfast.cli.local import copies
    from holdfast.cli.session import settings_of
    from holdfast.compose import forget

    with settings_of(invocation) as settings:
        if not agreed(f"Blank every name of {person} in {settings.state_dir}?", yes):
            return 1
        names, rows = forget(settings, person)
        kept = copies(settings)
    if not names:
        raise click.UsageError(
            f"Nobody called {person!r} is in the store: give the whole user principal name, object id or full name."
        )
    click.echo(f"Blanked {names} name{'s' if names > 1 else ''} in {rows} row{'s' if rows > 1 else ''}.")
    for copy in kept:
        click.echo(
            f"This copy of an older store may still hold them: {copy}; delete it when you need it no more."
        )
    return 0
