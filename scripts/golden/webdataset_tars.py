"""Writes packages/datasets/test/golden/webdataset.json: tars (gzip, base64) made by Python's tarfile in its three formats and by the
webdataset package, with the keys and landmarks that Python reads out of them.

Run from the repository's root: python scripts/golden/webdataset_tars.py   (needs numpy and webdataset)
"""

import base64
import gzip
import io
import json
import struct
import tarfile
import tempfile
import zlib
from pathlib import Path

import numpy as np
import webdataset as wds


def png(red, width=64, height=48):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([red, 90, 7]) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def points(seed, dims=2):
    size = np.array([60.0, 44.0, 8.0])[:dims]
    return (np.random.default_rng(seed).random((68, dims)) * size + 1).round(3)


def npy(values):
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


def pts(values):
    rows = "\n".join(f"{x:.3f} {y:.3f}" for x, y in values + 1)
    return f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n".encode()


def coco(values):
    return json.dumps({"keypoints": [v for x, y in values for v in (x, y, 2)]}).encode()


def tar(files, layout):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=layout) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
            else:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


p = [points(i) for i in range(6)]
with_more = {"landmarks": p[0].tolist(), "box": [1, 2, 60, 44], "yaw": -12.5, "smile": True, "source": "made"}
deep = "faces/" + "k" * 120
tars = {
    "ustar.tar": tar(
        [
            ("./a.jpg", png(10)),
            ("./a.json", json.dumps(with_more).encode()),
            ("./a.cls", b"3"),
            ("inner", None),
            ("inner/b.extra.txt", b"nothing"),
            ("inner/b.png", png(20)),
            ("inner/b.pts", pts(p[1])),
            ("inner/b.link", "/etc/passwd"),
            ("c.npy", npy(p[2].astype(np.float32))),
            ("c.webp", png(30)),
        ],
        tarfile.USTAR_FORMAT,
    ),
    "gnu.tar": tar(
        [(f"{deep}.embedding.npy", npy(np.zeros(512, np.float32))), (f"{deep}.landmarks.npy", npy(p[3])), (f"{deep}.jpg", png(40))],
        tarfile.GNU_FORMAT,
    ),
    "pax.tar": tar([("gesicht-äöü.jpeg", png(50)), ("gesicht-äöü.json", coco(p[4]))], tarfile.PAX_FORMAT),
}
expected = {
    "ustar.tar": [["a", p[0], 10], ["inner/b", p[1], 20], ["c", p[2], 30]],
    "gnu.tar": [[deep, p[3], 40]],
    "pax.tar": [["gesicht-äöü", p[4], 50]],
}
with tempfile.TemporaryDirectory() as folder:
    with wds.ShardWriter(f"{folder}/faces-%06d.tar", maxcount=2, verbose=0) as writer:
        for i in range(5):
            writer.write({"__key__": f"face{i}", "png": png(60 + i), "json": {"landmarks": points(20 + i, 3).tolist()}})
    for file in sorted(Path(folder).glob("*.tar")):
        tars[file.name] = file.read_bytes()
        read = wds.WebDataset(str(file), shardshuffle=False)
        expected[file.name] = [
            [s["__key__"], np.array(json.loads(s["json"])["landmarks"]), 60 + int(s["__key__"][4:])] for s in read
        ]
    # What the package itself reads of the others.
    for name in ["ustar.tar", "gnu.tar", "pax.tar"]:
        Path(folder, name).write_bytes(tars[name])
        keys = [s["__key__"].removeprefix("./") for s in wds.WebDataset(f"{folder}/{name}", shardshuffle=False)]
        assert keys == [key for key, _, _ in expected[name]], (name, keys)

golden = {
    "tars": {name: base64.b64encode(gzip.compress(data, mtime=0)).decode() for name, data in tars.items()},
    "expected": {
        name: [{"key": k, "points": np.asarray(v).round(4).ravel().tolist(), "red": red} for k, v, red in rows]
        for name, rows in expected.items()
    },
}
path = Path("packages/datasets/test/golden/webdataset.json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(path, path.stat().st_size)
