"""The evaluators that come with trimtab, one file each; none knows another."""
