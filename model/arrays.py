"""The array types of this package, named once."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
"""Any real array; a docstring says which shape and dtype a function gives back."""

Integers = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]
