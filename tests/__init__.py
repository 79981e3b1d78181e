"""The tests; a package, so that tables which several files read are imported like any module."""
