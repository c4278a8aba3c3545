"""Warnings that another precision or other high-load bounds would have given."""

from monitor.queries.what_if.evaluation import HorizonResult, Setting, SettingResult, evaluate
from monitor.queries.what_if.reader import WhatIf, WhatIfChange, WhatIfError, WhatIfReader

__all__ = [
    "HorizonResult",
    "Setting",
    "SettingResult",
    "WhatIf",
    "WhatIfChange",
    "WhatIfError",
    "WhatIfReader",
    "evaluate",
]
