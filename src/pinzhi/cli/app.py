"""The commands and their order in `pinzhi --help`."""

import typer

from pinzhi.cli import archives, brands, drafts, labels, models, schedule, training

app = typer.Typer(
    name="pinzhi",
    help="品质: is a brand's Chinese social content original, coherent with its values, and genuinely answered?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("run")(archives.run)
app.command("score")(drafts.score)
app.command("report")(archives.report)
app.command("convert")(archives.convert)
app.command("inspect")(archives.inspect)
app.command("forget")(archives.forget)
app.command("schedule")(schedule.schedule)
app.command("train")(training.train)
app.add_typer(brands.app, name="brand")
app.add_typer(labels.app, name="label")
app.add_typer(models.app, name="models")
