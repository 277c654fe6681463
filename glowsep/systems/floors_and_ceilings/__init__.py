"""What every system must beat, and what masks could reach at best."""
