"""Questions to the store: who spends what, and how long people wait."""
