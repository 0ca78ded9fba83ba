"""Models that judge answers: how they are asked, how far people agree, and what that allows."""
