"""Systems that take a mixture apart: a folder for each, all of them in the registry."""
