"""What answers say of their cost: one reader per wire format, none knowing another. No sockets."""
