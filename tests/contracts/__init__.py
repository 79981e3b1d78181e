"""What everything of a kind keeps: `table.py` says how the table is made, each test file has the rows of one kind.

A new export is one line in the `ROWS` of its kind.
"""
