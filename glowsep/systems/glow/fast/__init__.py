"""The same flow, faster: wrappers that take a plain model and give one with the same methods (chapter 14)."""
