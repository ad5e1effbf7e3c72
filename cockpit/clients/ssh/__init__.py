"""The way to a cluster through a bastion, made by the user's own OpenSSH."""
