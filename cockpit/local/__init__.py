"""The embedded local Ray and its supervisor."""
