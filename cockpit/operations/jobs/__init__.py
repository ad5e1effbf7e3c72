"""Submitting, cloning, stopping and deleting jobs."""
