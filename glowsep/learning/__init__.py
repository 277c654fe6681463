"""Losses, Adam, schedules, the training loop with its checkpoints, and files of weights."""
