"""The moving parts: one actor a file, and the supervision that keeps them running."""
