"""Everything that is trained, on one shared encoder.

What the libraries below must know before they are imported; what the environment already says is kept.
"""

import os

# The model hub is closed by us, not by the environment: a training may open it for the encoder that its settings name.
IS_HUB_CLOSED_BY_DEFAULT = os.environ.keys().isdisjoint({"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"})

_DEFAULTS = {
    "HF_HUB_OFFLINE": "1",  # nothing is ever fetched, whatever a library would like to do
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    # Between two small products threads wait awake, for tens of microseconds, then sleep: on two cores a draft took
    # 40 ms so, 58 ms with threads that sleep at once; for ever awake they would take the cores from other work.
    "GOMP_SPINCOUNT": "20000",
}
for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)
