"""The same flow, faster: ``fuse``, ``parallel`` and ``freeze`` take a flow and give one with the same methods."""
