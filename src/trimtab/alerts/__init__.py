"""Tells people: alerts are kept on disk, logged, and delivered to webhooks until they arrive."""
