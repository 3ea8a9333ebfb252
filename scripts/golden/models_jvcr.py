"""Oracle of the JVCR checkpoint import: a tiny network whose modules bear the names of the released code.

Writes jvcr-{zip,legacy}.pth.tar.gz, jvcr-hostile-{zip,legacy}.pth.tar.gz and jvcr.json to packages/models/test/golden.
Run from the repository's root: python scripts/golden/models_jvcr.py
"""

import gzip
import io
import json
import os
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

FEATURES, STEM, HOURGLASS, DEPTHS, PARTS, SIZE = 4, 2, 1, [1, 16], 7, 64


class Bottleneck(nn.Module):
    def __init__(self, inputs, inner):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, inner, 1)
        self.bn2, self.conv2 = nn.BatchNorm2d(inner), nn.Conv2d(inner, inner, 3, padding=1)
        self.bn3, self.conv3 = nn.BatchNorm2d(inner), nn.Conv2d(inner, 2 * inner, 1)
        self.downsample = nn.Sequential(nn.Conv2d(inputs, 2 * inner, 1)) if inputs != 2 * inner else None

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        y = self.conv2(F.relu(self.bn2(y)))
        y = self.conv3(F.relu(self.bn3(y)))
        return y + (x if self.downsample is None else self.downsample(x))


def residual(inputs, inner):
    return nn.Sequential(Bottleneck(inputs, inner))


class Hourglass(nn.Module):
    def __init__(self, features, depth):
        super().__init__()
        counts = [4 if i == 0 else 3 for i in range(depth)]
        make = lambda: residual(features, features // 2)
        self.hg = nn.ModuleList(nn.ModuleList(make() for _ in range(n)) for n in counts)

    def run(self, x, n):
        skip = self.hg[n - 1][0](x)
        low = self.hg[n - 1][1](F.max_pool2d(x, 2))
        low = self.run(low, n - 1) if n > 1 else self.hg[0][3](low)
        return skip + F.interpolate(self.hg[n - 1][2](low), scale_factor=2)

    def forward(self, x):
        return self.run(x, len(self.hg))


class Pix2Vox(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, STEM, 7, 2, 3), nn.BatchNorm2d(STEM)
        self.layer1 = residual(STEM, STEM // 2 * 2)
        self.layer2 = residual(2 * STEM, FEATURES // 2)
        self.layer3 = residual(FEATURES, FEATURES // 2)
        c = FEATURES
        self.hg = nn.ModuleList(Hourglass(c, HOURGLASS) for _ in DEPTHS)
        self.res = nn.ModuleList(residual(c, c // 2) for _ in DEPTHS)
        self.fc = nn.ModuleList(nn.Sequential(nn.Conv2d(c, c, 1), nn.BatchNorm2d(c), nn.ReLU()) for _ in DEPTHS)
        self.score = nn.ModuleList(nn.Conv2d(c, d, 1) for d in DEPTHS)
        self.fc_ = nn.ModuleList(nn.Conv2d(c, c, 1) for _ in DEPTHS[:-1])
        self.score_ = nn.ModuleList(nn.Conv2d(d, c, 1) for d in DEPTHS[:-1])

    def forward(self, x):
        x = F.max_pool2d(self.layer1(F.relu(self.bn1(self.conv1(x)))), 2)
        x = self.layer3(self.layer2(x))
        out = []
        for i in range(len(DEPTHS)):
            y = self.fc[i](self.res[i](self.hg[i](x)))
            out.append(self.score[i](y))
            if i < len(DEPTHS) - 1:
                x = x + self.fc_[i](y) + self.score_[i](out[-1])
        return out


class Vox2Coord(nn.Module):
    def __init__(self):
        super().__init__()
        channels = [1, 2, 3, 4, 4]
        layers = [
            nn.Sequential(nn.Conv3d(a, b, 4, 2, 1), nn.BatchNorm3d(b), nn.LeakyReLU(0.2))
            for a, b in zip(channels[:-1], channels[1:])
        ]
        self.encoder = nn.ModuleList([*layers, nn.Sequential(nn.Conv3d(4, 4, SIZE // 4 // 16))])
        self.fc_cord = nn.Linear(4, PARTS * 3)

    def forward(self, x):
        for layer in self.encoder:
            x = layer(x)
        return self.fc_cord(x.flatten(1)).view(len(x), -1, 3)


class Hostile:
    def __reduce__(self):
        return (os.system, ("echo this must never run",))


def save(content, path, zipped):
    """torch.save, then gzip to keep the repository small."""
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))


def main():
    torch.manual_seed(0)
    p2v, v2c = Pix2Vox(), Vox2Coord()
    for module in [*p2v.modules(), *v2c.modules()]:
        if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm3d)):
            nn.init.uniform_(module.weight, 0.7, 1.3)
            nn.init.uniform_(module.bias, -0.2, 0.2)
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    p2v.eval(), v2c.eval()
    with torch.no_grad():
        # A picture that tells x from y and channel from channel.
        y, x = torch.meshgrid(torch.arange(SIZE) / SIZE, torch.arange(SIZE) / SIZE, indexing="ij")
        image = torch.stack([x, y, (x * y * 7) % 1]).unsqueeze(0)
        volumes = p2v(image)
        points = v2c(volumes[-1].unsqueeze(1))
    prefix = lambda state: type(state)((f"module.{k}", v) for k, v in state.items())
    checkpoint = {
        "arch": "p2v2c",
        "epoch": 30,
        "state_dict_p2v": prefix(p2v.state_dict()),
        "state_dict_v2c": prefix(v2c.state_dict()),
    }
    folder = Path(__file__).resolve().parents[2] / "packages/models/test/golden"
    for zipped in (True, False):
        kind = "zip" if zipped else "legacy"
        save(checkpoint, folder / f"jvcr-{kind}.pth.tar.gz", zipped)
        save({"epoch": Hostile()}, folder / f"jvcr-hostile-{kind}.pth.tar.gz", zipped)
    rounded = lambda t: [float(f"{v:.7g}") for v in t.flatten().tolist()]
    golden = {
        "script": "scripts/golden/models_jvcr.py",
        "inputSize": SIZE,
        "volumes": [rounded(v.permute(0, 2, 3, 1)[:, ::5, ::5]) for v in volumes],
        "points": rounded(points),
    }
    (folder / "jvcr.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    for path in sorted(folder.glob("jvcr*")):
        print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
