"""The SDL editor as a person uses it: form and text on one document, problems, undo, files."""

import difflib
from pathlib import Path

import pytest
from textual import events

from cockpit.sdl.templates import template_named
from tests.small_sdl import PLAIN
from tests.ui.screen import assert_sound
from tests.ui.sdl_editor import SMALL, WIDE, sdl_editor

NAME = "ray-gpu-1x6"
SMALL_SDL = PLAIN.replace("image: nginx:1.27\n", "image: nginx:1.27 # pinned\n    env:\n      - MODE=fast\n").replace(
    "cpu:\n          units: 0.5\n", "cpu: {units: 0.5}\n"
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "web.yaml"
    path.write_bytes(SMALL_SDL.encode())
    return path


def written(path: Path, text: str) -> None:
    """Somebody else writes the file."""
    path.write_text(text, encoding="utf-8")


def read(path: Path) -> str:
    """What is in the file."""
    return path.read_text(encoding="utf-8")


def changes(before: str, after: str) -> list[str]:
    """The lines that came and went."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


async def test_from_a_template_to_a_file_with_exactly_the_lines_that_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with sdl_editor() as editor:
        driver = editor.driver
        driver.sees("no SDL yet", "a Ray cluster from a template")
        await driver.press("ctrl+n")
        dialog = await driver.opened("New SDL from a template")
        await driver.press("down", "down")
        dialog.says("Ray cluster", NAME)
        await driver.press("enter")
        await driver.wait_until(lambda: editor.pane.desk.suggested_name == f"{NAME}.yaml", "the new SDL")
        await editor.ready()
        driver.sees("portable", "Workers · ray-worker", "6 × a100")
        await editor.fill("count", "4", "ray-worker")
        await editor.fill("model", "h100", "ray-worker")
        await editor.fill("+ env", "HF_TOKEN", "ray-worker")
        await editor.fill("count", "6", "ray-worker")
        driver.sees("secret HF_TOKEN", "○ missing")
        await driver.press("ctrl+s")
        dialog = await driver.opened("Save the SDL as")
        await driver.press("enter")
        await driver.wait_until(lambda: not editor.pane.desk.is_dirty, "the saved file")
    saved = (tmp_path / f"{NAME}.yaml").read_bytes().decode()
    assert changes(template_named(NAME).text, saved) == [
        "+      - HF_TOKEN=ac-secret://HF_TOKEN",
        "-                - model: a100",
        "+                - model: h100",
    ]


async def test_form_and_text_are_one_document_and_undo_goes_through_both(small: Path) -> None:
    async with sdl_editor(small) as editor:
        await editor.fill("count", "3", "web")
        await editor.type(3, 4, "#")
        await editor.fill("memory", "2 GB", "web")
        assert changes(SMALL_SDL, editor.text) == [
            "-    image: nginx:1.27 # pinned",
            "+    #image: nginx:1.27 # pinned",
            "-          size: 512Mi",
            "+          size: 2Gi",
            "-      count: 1",
            "+      count: 3",
        ]
        assert editor.pane.desk.session.changed_rows == {17}
        assert editor.pane.text.document.lines == editor.pane.desk.session.rows()
        for _ in range(2):
            await editor.driver.press("ctrl+z")
        assert changes(SMALL_SDL, editor.text) == ["-      count: 1", "+      count: 3"]
        editor.pane.show_side("text")
        await editor.driver.pause()
        await editor.driver.press("ctrl+z")
        assert editor.text == SMALL_SDL
        assert not editor.pane.desk.is_dirty
        for _ in range(3):
            await editor.driver.press("ctrl+y")
        assert "size: 2Gi" in editor.text
        assert editor.pane.text.document.lines == editor.pane.desk.session.rows()


async def test_cursor_and_selection_stay_with_their_text_when_the_form_edits_above_them(small: Path) -> None:
    async with sdl_editor(small) as editor:
        area = editor.pane.text
        row = SMALL_SDL.splitlines().index("          amount: 1000")
        area.selection = type(area.selection)((row, 10), (row, 16))
        await editor.fill("+ env", "LEVEL=3", "web")
        assert area.selected_text == "amount"
        assert area.selection.start == (row + 1, 10)


async def test_broken_yaml_greys_the_form_with_the_reason_and_the_text_is_mended(small: Path) -> None:
    async with sdl_editor(small) as editor:
        await editor.type(3, 4, "x: [")
        assert editor.is_grey()
        editor.driver.sees("line 5, column 5", "waits until the text is YAML again", "no YAML", "memory")
        await editor.choose("memory", "web")
        assert editor.pane.form.editing is None
        await editor.driver.press("ctrl+z")
        await editor.ready()
        assert not editor.is_grey()
        assert editor.text == SMALL_SDL


async def test_what_the_document_refuses_is_told_in_its_words_and_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "alias.yaml"
    text = SMALL_SDL.replace("size: 512Mi\n        storage", "size: &s 512Mi\n        storage").replace(
        "storage:\n          size: 512Mi", "storage:\n          size: *s"
    )
    path.write_text(text)
    async with sdl_editor(path) as editor:
        await editor.fill("memory", "2Gi", "web")
        editor.driver.sees("is used again as *s")
        assert editor.text == text
        await editor.driver.press("escape")
        await editor.fill("count", "none", "web")
        editor.driver.sees("is not a whole number")
        assert editor.text == text


async def test_f_fixes_the_problem_that_f8_went_to_and_is_not_typed(small: Path) -> None:
    broken = SMALL_SDL.replace('"2.0"', "2.0")
    written(small, broken)
    async with sdl_editor(small) as editor:
        await editor.driver.press("f8")
        await editor.driver.wait_until(lambda: editor.pane.problems.has_focus, "the list of problems")
        await editor.driver.press("f")
        await editor.ready()
        assert editor.text == SMALL_SDL


async def test_g_shows_the_line_and_types_nothing_beside_the_form(small: Path) -> None:
    async with sdl_editor(small, size=WIDE) as editor:
        row = editor.row("image")
        editor.pane.form.view.focus()
        assert editor.pane.form.view.move_to(row.key)
        before = editor.text
        await editor.driver.press("g")
        assert editor.pane.text.cursor_location[0] == row.line - 1
        assert editor.pane.form.view.has_focus
        await editor.driver.press("j")
        assert editor.text == before
        await editor.driver.resize(*SMALL)
        assert editor.pane.form.view.move_to(row.key)
        await editor.driver.press("g")
        await editor.driver.wait_until(lambda: editor.pane.text.has_focus, "the text in place of the form")


async def test_problems_are_jumped_to_fixed_and_fixed_all_after_a_look(small: Path) -> None:
    broken = SMALL_SDL.replace("size: 512Mi", "size: 512mi").replace('"2.0"', "2.0")
    written(small, broken)
    async with sdl_editor(small) as editor:
        driver = editor.driver
        assert len(editor.messages) >= 3
        editor.pane.problems.focus()
        await driver.press("enter")
        assert editor.pane.text.cursor_location == (0, 9)
        await driver.press("escape")
        await driver.wait_until(lambda: editor.pane.form.view.has_focus, "the form")
        await driver.press("f")
        await editor.ready()
        assert editor.text == broken.replace("2.0", '"2.0"')
        await driver.press("F")
        dialog = await driver.opened("Fix 2 problems?")
        dialog.says("-          size: 512mi", "+          size: 512Mi")
        await driver.answer("n")
        assert editor.text == broken.replace("2.0", '"2.0"')
        await driver.press("F")
        await driver.opened("Fix 2 problems?")
        await driver.answer("y")
        await editor.ready()
        assert editor.text == SMALL_SDL
        await driver.press("u")
        assert editor.text == broken.replace("2.0", '"2.0"')


async def test_worker_groups_are_added_and_removed_and_the_file_is_as_it_was() -> None:
    async with sdl_editor() as editor:
        driver = editor.driver
        text = template_named(NAME).text
        editor.pane.desk.begin(text, "x.yaml")
        editor.pane.show_desk()
        await editor.ready()
        await driver.press("a")
        await driver.opened("Name of the new service, made like ray-worker")
        await driver.press("enter")
        await driver.wait_until(lambda: "ray-worker-2:" in editor.text, "the new group")
        await editor.ready()
        assert editor.row("count", "ray-worker-2").value == "6"
        assert editor.pane.form.view.move_to("ray-worker-2:")
        await driver.press("d")
        await editor.ready()
        assert editor.text == text
        await driver.press("u")
        assert "ray-worker-2:" in editor.text
        await driver.press("u")
        assert editor.text == text


async def test_a_whole_sdl_is_pasted_and_what_is_none_is_refused_with_a_sentence() -> None:
    async with sdl_editor() as editor:
        area, driver = editor.pane.text, editor.driver
        area.focus()
        await driver.pause()
        driver.app.post_message(events.Paste(SMALL_SDL.replace("\n", "\r\n")))
        await driver.wait_until(lambda: bool(editor.text), "the paste")
        await editor.ready()
        assert editor.text == SMALL_SDL
        driver.sees("portable", "Service · web")
        for paste, reason in (("x" * 10_000_000, "10,000,000 characters are too many"), ("a\x00b", "binary data")):
            driver.app.post_message(events.Paste(paste))
            await driver.wait_until(lambda reason=reason: any(reason in one for one in driver.told), reason)  # type: ignore[misc]
            assert editor.text == SMALL_SDL


async def test_a_whole_sdl_can_be_pasted_on_the_form_and_takes_the_place_of_another(small: Path) -> None:
    other = SMALL_SDL.replace("nginx:1.27", "nginx:1.28")
    async with sdl_editor() as editor:
        editor.driver.app.post_message(events.Paste(SMALL_SDL))
        await editor.driver.wait_until(lambda: editor.text == SMALL_SDL, "the paste on an empty desk")
    async with sdl_editor(small) as editor:
        driver, pane = editor.driver, editor.pane
        for focus in (pane.form.view, pane.problems, pane.text):
            focus.focus()
            await driver.pause()
            driver.app.post_message(events.Paste(other))
            await driver.wait_until(lambda: editor.text == other, "the other SDL")
            await driver.press("ctrl+z")
            assert editor.text == SMALL_SDL
        assert any("took the place" in one for one in driver.told)
        pane.form.view.focus()
        await driver.pause()
        driver.app.post_message(events.Paste("image: x"))
        await driver.wait_until(lambda: any("not a complete SDL" in one for one in driver.told), "the refusal")
        assert editor.text == SMALL_SDL


async def test_the_text_knows_the_keys_for_its_ends(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver, area = editor.driver, editor.pane.text
        editor.pane.show_side("text")
        await driver.wait_until(lambda: area.has_focus, "the text")
        await driver.press("ctrl+end")
        assert area.cursor_location == area.document.end
        await driver.press("ctrl+home")
        assert area.cursor_location == (0, 0)


async def test_a_secret_that_is_typed_is_asked_for_and_stands_in_no_history(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver = editor.driver
        await editor.choose("+ env", "web")
        await driver.type("WANDB_API_KEY=sim-secret-value")
        await driver.press("enter")
        await driver.opened("WANDB_API_KEY looks like a secret. Where shall it be?")
        await driver.press("escape")
        assert editor.text == SMALL_SDL


@pytest.mark.parametrize("size", [SMALL, WIDE, (20, 5), (300, 80), (100, 12)])
async def test_the_editor_is_sound_at_every_size(small: Path, size: tuple[int, int]) -> None:
    written(small, SMALL_SDL.replace("# pinned", "# \x1b[2J \x07 \u202e 训练 👩‍👩‍👧 \u2028 [red]x[/red]"))
    async with sdl_editor(small, size=WIDE) as editor:
        await editor.driver.resize(*size)
        assert_sound(editor.driver.app)
        for key in ("down", "enter", "escape", "ctrl+t", "pagedown", "down", "right", "x", "escape"):
            await editor.driver.press(key)
            assert_sound(editor.driver.app)
        await editor.ready()
        assert_sound(editor.driver.app)


async def test_one_side_at_a_time_where_there_is_no_room_for_both(small: Path) -> None:
    async with sdl_editor(small, size=SMALL) as editor:
        driver = editor.driver
        driver.sees("Service · web", "count")
        assert "version:" not in driver.text
        assert "q quit" in driver.lines[-1]
        await driver.press("ctrl+t")
        driver.sees('version: "2.0"')
        assert "Service · web" not in driver.text
        await driver.wait_until(lambda: "q quit" not in driver.lines[-1], "hints without letters")
        await driver.resize(*WIDE)
        driver.sees('version: "2.0"', "Service · web")


async def test_what_is_not_saved_is_asked_for_before_it_goes(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver = editor.driver
        await editor.fill("count", "2", "web")
        await driver.press("q")
        await driver.opened("web.yaml has unsaved changes.")
        await driver.press("escape")
        assert driver.app.is_running
        await editor.save()
        assert changes(SMALL_SDL, read(small)) == ["-      count: 1", "+      count: 2"]
        await driver.pilot.press("q")
        await driver.wait_until(lambda: not driver.app.is_running, "the end", settled=False)


async def test_two_enters_at_once_leave_a_dialog_once(small: Path) -> None:
    async with sdl_editor(small) as editor:
        await editor.fill("count", "2", "web")
        await editor.driver.press("q")
        await editor.driver.opened("web.yaml has unsaved changes.")
        for key in ("end", "enter", "enter", "enter"):
            editor.driver.app.post_message(events.Key(key, None))
        await editor.driver.wait_until(lambda: not editor.driver.has_dialog, "the end of the dialog")
        assert editor.driver.app.is_running
        assert editor.pane.desk.is_dirty


async def test_a_change_on_the_disk_is_noticed_and_offered_as_a_choice(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver = editor.driver
        theirs = SMALL_SDL.replace("nginx:1.27", "nginx:1.28")
        written(small, theirs)
        await driver.wait_until(lambda: editor.text == theirs, "their text, where nothing of ours is lost")
        await editor.fill("count", "2", "web")
        mine = editor.text
        written(small, SMALL_SDL)
        await driver.press("ctrl+s")
        await driver.opened("web.yaml was changed by another program since it was opened.")
        await driver.press("enter")
        (await driver.opened("From theirs to mine")).says("+      count: 2")
        await driver.press("escape")
        await driver.opened("web.yaml was changed by another program since it was opened.")
        await driver.press("down", "down", "enter")
        await driver.wait_until(lambda: read(small) == mine, "mine in its place")


async def test_keys_that_arrive_together_are_done_in_their_order(small: Path) -> None:
    async with sdl_editor(small) as editor:
        editor.pane.go_to(2, 5)
        await editor.driver.wait_until(lambda: editor.pane.text.has_focus, "the text")
        for key in ("backspace", "x", "enter", "z", "left", "ctrl+k", "q", "backspace", "r", "s"):
            editor.driver.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await editor.driver.wait_until(lambda: "\n  rs" in editor.text, "the last key")  # `version` has an rs too
        assert editor.text == SMALL_SDL.replace("  web:", "  wex\n  rs", 1)


async def test_enter_in_a_field_takes_what_was_typed_in_front_of_it(small: Path) -> None:
    async with sdl_editor(small) as editor:
        await editor.choose("count", "web")
        for key in ("ctrl+u", "1", "2", "enter"):
            editor.driver.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await editor.driver.wait_until(lambda: "count: 12" in editor.text, "the count")


async def test_a_secret_that_stands_in_the_file_is_masked_and_an_unchanged_field_keeps_it(small: Path) -> None:
    written(small, SMALL_SDL.replace("MODE=fast", "HF_TOKEN=sim-secret-value"))
    async with sdl_editor(small) as editor:
        editor.pane.show_side("form")
        assert "sim-secret" not in "".join(line[:66] for line in editor.driver.lines)
        await editor.choose("HF_TOKEN", "web")
        await editor.driver.press("enter")
        assert "HF_TOKEN=sim-secret-value" in editor.text
        assert not editor.pane.desk.is_dirty


async def test_a_short_text_in_the_place_of_a_long_one_with_the_cursor_at_its_end() -> None:
    async with sdl_editor() as editor:
        for text in (SMALL_SDL * 9, "a: 1", SMALL_SDL * 9, ""):
            editor.pane.desk.begin(text, "x.yaml")
            editor.pane.show_desk()
            await editor.ready()
            editor.pane.go_to(editor.pane.desk.session.row_count - 1, 0)
            await editor.driver.pause()
            assert_sound(editor.driver.app)
        editor.pane.replace("long", SMALL_SDL * 9)
        editor.pane.go_to(SMALL_SDL.count("\n") * 9, 0)
        await editor.driver.pause()
        editor.pane.replace("short", "\ufeffa: 1\r\n")
        await editor.ready()
        assert editor.pane.text.document.lines == ["a: 1", ""]


async def test_the_picture_and_the_copy_of_the_text(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver = editor.driver
        await driver.press("v")
        (await driver.opened("Connections in web.yaml")).says("internet", "80", "web")
        await driver.press("escape")
        editor.pane.problems.focus()
        await driver.press("y")
        assert driver.app.clipboard == SMALL_SDL
        editor.pane.form.view.focus()
        editor.pane.form.view.move_to(editor.row("image", "web").key)
        await driver.press("y")
        assert driver.app.clipboard == "nginx:1.27"
        await driver.press("Y")
        assert driver.app.clipboard == SMALL_SDL


async def test_the_picture_fits_its_box(tmp_path: Path) -> None:
    path = tmp_path / "ray-gpu.yaml"
    written(path, template_named("ray-gpu").text)
    async with sdl_editor(path, size=SMALL) as editor:
        driver = editor.driver
        await driver.press("v")
        (await driver.opened("Connections in ray-gpu.yaml")).says(
            "└ 8443/TCP   ◀── the internet", "                 a random port of the provider's host"
        )


async def test_a_word_is_completed_where_the_set_is_known(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver = editor.driver
        row = SMALL_SDL.splitlines().index("      profile: web")
        editor.pane.text.replace("", (row, 15), (row, 18))
        editor.pane.go_to(row, 15)
        await driver.wait_until(lambda: editor.pane.text.has_focus, "the text")
        await driver.press("ctrl+@")
        await driver.wait_until(lambda: editor.text == SMALL_SDL, "the only profile there is")
