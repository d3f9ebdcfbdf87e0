"""Archives as crawlers write them, to canonical tables; whatever cannot be read becomes a reject with its place."""

from pinzhi.readers.discover import discover, in_order, read_source
from pinzhi.readers.frame import Reject, Source
from pinzhi.readers.pseudonym import Pseudonymiser, load_key

__all__ = ["Pseudonymiser", "Reject", "Source", "discover", "in_order", "load_key", "read_source"]
