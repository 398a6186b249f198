"""What is kept: the memory tier, the archive, and the view that merges both."""
