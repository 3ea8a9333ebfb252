"""Writes packages/datasets/test/golden/mat-files.json: MAT-files made by SciPy (base64) and what they hold.

Run from the repository's root: python scripts/golden/mat_files.py   (needs numpy and scipy)
"""

import base64
import io
import json
from pathlib import Path

import numpy as np
import scipy.io as sio

numbers = {
    "double": np.arange(6, dtype=np.float64).reshape(2, 3) * 1.25 - 3,
    "single": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4),
    "int8": np.array([[-128, 127]], np.int8),
    "uint8": np.array([[0, 255, 7]], np.uint8),
    "int16": np.array([[-32768], [32767]], np.int16),
    "uint16": np.array([[65535]], np.uint16),
    "int32": np.array([[-(2**31), 2**31 - 1]], np.int32),
    "uint32": np.array([[2**32 - 1]], np.uint32),
    "int64": np.array([[-(2**40)]], np.int64),
    "uint64": np.array([[2**40]], np.uint64),
    "logical": np.array([[True, False]]),
    "cube": np.arange(24, dtype=np.float64).reshape(2, 3, 4),
    "empty": np.zeros((0, 3)),
    "a_name_of_more_than_four_bytes": np.array([[42.0]]),
}
others = {
    "text": "abc",
    "cells": np.array([["a", 1.0]], dtype=object),
    "struct": {"field": 1.0},
    "complex": np.array([[1 + 2j]]),
}


def save(compressed):
    buffer = io.BytesIO()
    sio.savemat(buffer, {**numbers, **others}, do_compression=compressed, oned_as="row")
    return base64.b64encode(buffer.getvalue()).decode()


golden = {
    "plain": save(False),
    "compressed": save(True),
    "numbers": {
        name: {"shape": list(value.shape), "columnMajor": [float(x) for x in value.ravel(order="F")]}
        for name, value in numbers.items()
    },
}
out = Path("packages/datasets/test/golden/mat-files.json")
out.write_text(json.dumps(golden))
print(out, out.stat().st_size, "bytes")
