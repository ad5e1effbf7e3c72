"""Rows that were made ready for a table on the way, as those of a big cluster are."""

from tests.ui.apps import TableApp, lines_of, row, rows

SIZE = (70, 12)


async def test_prepared_rows_are_shown_as_any_others_are() -> None:
    app = TableApp(given=rows(6))
    async with app.run_test(size=SIZE) as pilot:
        app.table.filter = "r"
        app.table.move_to("r3")
        app.table.set_marks(["r1", "r4"])
        kept = app.table._model.row("r2")
        prepared = list(app.table.preparing([row("r3", "r3", "ok", "a much longer command"), *rows(3), row("r9")]))
        app.table.set_rows(rows(5))  # what came while they were made
        app.table.set_rows(prepared, prepared=True)
        await pilot.pause()
        assert app.table.shown_keys == ["r3", "r0", "r1", "r2", "r9"]
        assert (app.table.row_key, app.table.marked_keys) == ("r3", ["r1"])
        assert app.table._model.row("r2") is kept
        assert "a much longer command" in lines_of(app.table)[1]
        app.table.sort_by("id", descending=True)
        app.table.set_rows(list(app.table.preparing(rows(4))), prepared=True)
        assert app.table.shown_keys == ["r3", "r2", "r1", "r0"]
