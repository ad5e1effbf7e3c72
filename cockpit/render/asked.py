"""What was asked for a job's entrypoint, in words."""

from cockpit.model.asked import Asked
from cockpit.render.needs import needs


def asked_text(asked: Asked) -> str:
    """Such as `8 GPU, 4 CPU on a node with gpu=h200`; of metadata it is said that Ray did not confirm it."""
    labels = ", ".join(f"{name}={value}" for name, value in asked.labels.items())
    where = f" on a node with {labels}" if labels else ""
    return needs(asked.resources) + where + (" (as submitted from here)" if asked.is_from_metadata else "")
