"""How figures, times and texts look: one way of writing them for pages, reports and tables."""
