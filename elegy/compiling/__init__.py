"""Between tracing and compiling: programs are rewritten for the backend that runs them."""

from ._draws import threefry as threefry
from ._fills import filled as filled
from ._jit import jit as jit
from ._options import cpu_options as cpu_options
from ._pass import Rule as Rule
from ._persistent import require_folder as require_folder
from ._persistent import with_persistent_cache as with_persistent_cache
from ._program import Ahead as Ahead
from ._program import Program as Program
from ._program import temporary_bytes as temporary_bytes
from ._rewritten import rewritten as rewritten
from ._rules import ALL_RULES as ALL_RULES
from ._rules import DRAWS_ONLY as DRAWS_ONLY
from ._rules import LAYOUT_ONLY as LAYOUT_ONLY
