"""Tests of the clients of Akash, and of the simulated network that they are tried on."""
