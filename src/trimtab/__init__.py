"""trimtab: one process between an application and its model providers."""
