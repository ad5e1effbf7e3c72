"""What panes and dialogs ask of the app; apart, so that the app knows it before it imports who asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from cockpit.model.cluster_rows import ClusterRow
    from cockpit.model.secret_rows import SecretRow
    from cockpit.operations.deployments.register import Row as DeploymentRow
    from cockpit.operations.sdl_editor.form_rows import FormRow


class SdlAsked(Message):
    """An action is wanted that asks the user something; `row` is where the form's cursor is."""

    def __init__(self, name: str, row: FormRow | None) -> None:
        super().__init__()
        self.name = name
        self.row = row


class SecretTyped(Message):
    """A value was typed that looks like a secret, and it stands nowhere yet."""

    def __init__(self, row: FormRow, text: str) -> None:
        super().__init__()
        self.row = row
        self.text = text


class SdlLooked(Message):
    """Time has passed: a draft may be due, and the file may be another one."""


class SdlShown(Message):
    """The editor is seen for the first time: what was left behind can be offered."""


class SecretsAsked(Message):
    """An action of the Secrets pane is wanted, for the row under the cursor if there is one."""

    def __init__(self, name: str, row: SecretRow | None) -> None:
        super().__init__()
        self.name = name
        self.row = row


class DeploymentsAsked(Message):
    """An action of the Deployments pane is wanted, for the row under the cursor if there is one."""

    def __init__(self, name: str, row: DeploymentRow | None) -> None:
        super().__init__()
        self.name = name
        self.row = row


class SaveLogAsked(Message):
    """The user wants to save what the Log pane holds."""


class JobSubmitted(Message):
    """A job was submitted, and by now it should be listed."""

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self.job_id = job_id


class ClustersAsked(Message):
    """An action of the Clusters pane, for the row under the cursor if there is one; `reload` refreshes the pane."""

    def __init__(self, name: str, row: ClusterRow | None, reload: Callable[[], object]) -> None:
        super().__init__()
        self.name = name
        self.row = row
        self.reload = reload


class ClusterChosen(Message):
    """Go to this cluster: a `context` by name, an `address`, or the `demo`."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__()
        self.kind = kind
        self.name = name


class NewSdlWanted(Message):
    """Somebody without a cluster begins with a new SDL."""
