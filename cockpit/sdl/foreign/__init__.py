"""Files of other tools, read as an SDL: KubeRay's resources and Docker Compose."""
