"""Bytes of a .safetensors file as the reference implementation writes it; needs numpy and safetensors."""
import base64
import json
import sys

import numpy as np
from safetensors.numpy import save

tensors = {
    "estimator/b": np.arange(6, dtype=np.float32).reshape(1, 2, 3) / 4,
    "estimator/a": np.array([1.5, -2.0, 65504.0], dtype=np.float16),
    "regressor/z": np.array([np.pi], dtype=np.float32),
}
golden = {
    "made_by": "scripts/golden/models_safetensors.py",
    "tensors": [
        {
            "name": name,
            "dtype": {"float32": "F32", "float16": "F16"}[str(array.dtype)],
            "shape": list(array.shape),
            "bytes": base64.b64encode(array.tobytes()).decode(),
        }
        for name, array in tensors.items()
    ],
    "file": base64.b64encode(save(tensors, metadata={"format": "tf"})).decode(),
}
json.dump(golden, sys.stdout, indent=1)
print()
