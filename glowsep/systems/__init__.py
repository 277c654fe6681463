"""One folder per system of the paper's table, with the same file names in each: model, train, separate."""
