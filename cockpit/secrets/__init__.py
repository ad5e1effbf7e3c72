"""The secret store: values behind `ac-secret://NAME` references, in the keyring, in a vault of ours, or in memory."""
