"""Files of KubeRay and Docker Compose in the editor: opened or pasted, they are imported after a question."""

from pathlib import Path

from textual import events

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.rules import lint
from tests.sdl.test_foreign_compose import project
from tests.sdl.test_foreign_kuberay import SECRET, cluster, container
from tests.ui.sdl_editor import sdl_editor


async def test_a_ray_cluster_is_pasted() -> None:
    async with sdl_editor() as editor:
        driver = editor.driver
        driver.app.post_message(events.Paste(cluster(suspend=True)))
        await driver.opened("What was pasted is a KubeRay resource. Import it as an SDL?")
        await driver.press("y")
        await driver.opened("The Ray cluster lab, imported from a RayCluster. Not carried over:")
        driver.sees("spec.suspend", "The cluster runs as soon as it is deployed.")
        await driver.press("escape")
        await driver.wait_until(lambda: bool(editor.text), "the SDL")
        await editor.ready()
        assert lint(SdlDocument(editor.text)).clean
        assert editor.pane.desk.suggested_name == "lab.yaml"


async def test_a_no_leaves_the_text_as_it_is() -> None:
    async with sdl_editor() as editor:
        driver = editor.driver
        driver.app.post_message(events.Paste(project()))
        await driver.opened("What was pasted is a Docker Compose file. Import it as an SDL?")
        await driver.press("n")
        await driver.pause()
        assert editor.text == ""


async def test_a_compose_file_is_opened_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(project({"privileged": True}))
    async with sdl_editor(path) as editor:
        driver = editor.driver
        await driver.opened("compose.yaml is a Docker Compose file. Import it as an SDL?")
        await driver.press("y")
        await driver.opened("The Ray cluster compose, imported from a Docker Compose file. Not carried over:")
        await driver.press("escape")
        await driver.wait_until(lambda: "ray-worker" in editor.text, "the SDL")
        assert editor.pane.desk.file.path is None
    assert path.read_text() == project({"privileged": True})


async def test_what_cannot_run_is_said_and_no_value_is_shown() -> None:
    secret = container(env=[{"name": "API_KEY", "value": SECRET}])
    tpus = container(resources={"limits": {"google.com/tpu": "4"}})
    async with sdl_editor() as editor:
        driver = editor.driver
        driver.app.post_message(events.Paste(cluster(tpus)))
        await driver.opened("What was pasted is a KubeRay resource. Import it as an SDL?")
        await driver.press("y")
        await driver.wait_until(lambda: any("no TPUs" in one for one in driver.told), "the reason")
        driver.app.post_message(events.Paste(cluster(secret)))
        await driver.opened("What was pasted is a KubeRay resource. Import it as an SDL?")
        await driver.press("y")
        await driver.opened("Keep these values in the secret store, scope lab?")
        driver.sees("API_KEY")
        await driver.press("n")
        await driver.opened("The Ray cluster lab, imported from a RayCluster. Not carried over:")
        assert SECRET not in driver.text
        await driver.press("escape")
        await driver.wait_until(lambda: "ac-secret://API_KEY" in editor.text, "the SDL")
        assert SECRET not in editor.text
