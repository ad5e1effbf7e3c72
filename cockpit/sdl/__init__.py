"""The SDL of a deployment: text that is never damaged, rules of both parsers and of Ray, and what it means."""
