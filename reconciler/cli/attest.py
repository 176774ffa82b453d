"""`modelpolicy attest`: record that a person did a manual change. Writes the ledger, never the platform."""

import click

from reconciler.cli import common as shared
from reconciler.cli import formats, opening, origin
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.terminal import Terminal


@click.command(
    epilog=shared.examples(
        ("modelpolicy attest InferenceLimit/doubao-seed-1-6", "you have set it on the console page"),
        ('modelpolicy attest InferenceLimit/doubao-seed-1-6 policies/ --by "Li Lei"', "somebody else has"),
    )
)
@click.argument("address", metavar="KIND/NAME", shell_complete=shared.completing("addresses"))
@shared.options("paths", "account", "ledger", "set", output=("text", "json"))
@click.option("--by", metavar="NAME", help="Who did it (default: you, as user@host).")
@click.pass_obj
def command(terminal: Terminal, /, address: str, common: Common, by: str | None) -> Exit:
    """Record that a person did what the plan calls manual, for the resource KIND/NAME declared at PATH.

    Only what the platform cannot show may be attested; the condition then says Attested, with who and when. It ends when the
    declaration changes, or when the platform shows otherwise.
    """
    from reconciler import attesting
    from reconciler.cli import looking
    from reconciler.report.as_text import safe, words

    read = opening.read(common.paths)
    asked = looking.asked(common, read)
    mine = [one for one in asked if any(each.address == address for each in one.declared.resources)] or list(asked[:1])
    if len(mine) > 1:
        names = ", ".join(one.account for one in mine)
        raise click.UsageError(f"{address} is declared for the accounts {names}; name one with --account")
    made_by = origin.of(read.texts, common.paths)
    word = attesting.Word(
        address=address, by=by or made_by.actor, actor=made_by.actor, link=made_by.link, revision=made_by.revision,
        now=opening.clock()(),
    )  # fmt: skip
    with opening.ledger(common.ledger) as ledger, opening.reader(mine[0]) as reader:
        record = attesting.attest(mine[0], word, reader, ledger)
    fields = dict(record.attestation.fields) if record.attestation else {}

    def render(output: Output) -> str:
        if output.format == "json":
            at = word.now.isoformat().replace("+00:00", "Z")
            said = {"address": address, "by": word.by, "at": at, "fields": fields}
            return formats.compact({"format_version": "1.0", "attested": said, "errors": []})
        values = ", ".join(f"{path} {words.value(path, value)}" for path, value in sorted(fields.items()))
        return safe(f"{address}: attested by {word.by} at {word.now:%Y-%m-%d %H:%M:%S} UTC: {values}")

    shared.emit(terminal, common.outputs, render)
    return Exit.OK
