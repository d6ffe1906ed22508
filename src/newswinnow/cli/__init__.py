"""The command line: parse, call, print. Nothing else in the project knows typer, prints or exits."""
