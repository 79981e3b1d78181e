"""Between tracing and compiling: programs are rewritten for the backend that runs them."""

from ._argmax import argmax_by_comparison as argmax_by_comparison
from ._pass import Rule as Rule
from ._rewritten import rewritten as rewritten
from ._rules import ALL_RULES as ALL_RULES
from ._rules import LAYOUT_ONLY as LAYOUT_ONLY
