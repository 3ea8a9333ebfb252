"""The networks of @voxface/models in PyTorch, timed on request: the counterpart of `scripts/bench/onnx.ts`.

usage: python scripts/bench/torch_face_shape.py THREADS < one JSON object per line
{"load": OPTIONS, "freeze": false} builds G and P with random weights; {"run": BATCH} runs them once and answers
with the milliseconds of {"wall": ..., "cpu": ...}. OPTIONS are those of `resolveOptions`. `freeze` folds and fuses with TorchScript.
"""

import json
import sys
import time
import warnings

import torch
import torch.nn.functional as F
from torch import nn


class Bottleneck(nn.Module):
    def __init__(self, inner_in: int, filters: int):
        super().__init__()
        inner = filters // 2
        self.bn1, self.conv1 = nn.BatchNorm2d(inner_in), nn.Conv2d(inner_in, inner, 1)
        self.bn2, self.conv2 = nn.BatchNorm2d(inner), nn.Conv2d(inner, inner, 3, padding=1)
        self.bn3, self.conv3 = nn.BatchNorm2d(inner), nn.Conv2d(inner, filters, 1)
        self.skip = nn.Identity() if inner_in == filters else nn.Conv2d(inner_in, filters, 1)

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        y = self.conv2(F.relu(self.bn2(y)))
        return self.skip(x) + self.conv3(F.relu(self.bn3(y)))


class Hourglass(nn.Module):
    def __init__(self, features: int, depth: int):
        super().__init__()
        self.skip, self.down, self.up = (Bottleneck(features, features) for _ in range(3))
        self.inner = Hourglass(features, depth - 1) if depth > 1 else Bottleneck(features, features)

    def forward(self, x):
        low = self.up(self.inner(self.down(F.max_pool2d(x, 2))))
        return self.skip(x) + F.interpolate(low, scale_factor=2.0, mode="nearest")


class FaceShape(nn.Module):
    def __init__(self, o: dict):
        super().__init__()
        stem, features, widths = o["stem"], o["features"], o["stemResiduals"]
        self.o, self.gain = o, float(o["volumeGain"])
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 7, 2, 3), nn.BatchNorm2d(stem), nn.ReLU(),
            Bottleneck(stem, widths[0]), nn.MaxPool2d(2), Bottleneck(widths[0], widths[1]), Bottleneck(widths[1], widths[2]),
        )
        heads = [d * o["channels"] for d in o["depths"]]
        self.trunks = nn.ModuleList(
            nn.Sequential(
                Hourglass(features, o["hourglassDepth"]), Bottleneck(features, features),
                nn.Conv2d(features, features, 1), nn.BatchNorm2d(features), nn.ReLU(),
            )
            for _ in heads
        )
        self.heads = nn.ModuleList(nn.Conv2d(features, h, 1) for h in heads)
        self.feedback = nn.ModuleList(nn.Conv2d(features, features, 1) for _ in heads[1:])
        self.head_feedback = nn.ModuleList(nn.Conv2d(h, features, 1) for h in heads[:-1])
        self.stages = list(range(len(heads))) if o["regressorInput"] == "all" else [len(heads) - 1]
        channels = o["channels"] * len(self.stages) + (3 if o["regressorImage"] else 0)
        layers, size = [], [o["depths"][-1], o["volumeSize"], o["volumeSize"]]
        for filters in o["regressorChannels"][:-1]:
            layers += [nn.Conv3d(channels, filters, 4, 2, 1), nn.BatchNorm3d(filters), nn.LeakyReLU(0.2)]
            channels, size = filters, [s // 2 for s in size]
        layers += [nn.Conv3d(channels, o["regressorChannels"][-1], size), nn.Flatten(), nn.Linear(o["regressorChannels"][-1], 3 * o["landmarks"])]
        self.regressor = nn.Sequential(*layers)

    def forward(self, image):
        x, volumes = self.stem(image), []
        for m, (trunk, head) in enumerate(zip(self.trunks, self.heads)):
            y = trunk(x)
            volumes.append(head(y))
            if m < len(self.feedback):
                x = x + self.feedback[m](y) + self.head_feedback[m](volumes[m])
        depth, c, b, s = self.o["depths"][-1], self.o["channels"], image.shape[0], self.o["volumeSize"]
        parts = []
        for m in self.stages:
            d = self.o["depths"][m]
            parts.append(volumes[m].view(b, d, c, s, s).transpose(1, 2).repeat_interleave(depth // d, 2))
        if self.o["regressorImage"]:
            small = F.avg_pool2d(image, image.shape[2] // s)
            parts.append(small[:, :, None].expand(-1, -1, depth, -1, -1))
        return self.regressor(torch.cat(parts, 1)).view(b, -1, 3), volumes[-1] / self.gain


def main() -> None:
    warnings.simplefilter("ignore", FutureWarning)
    torch.manual_seed(0)
    torch.set_num_threads(int(sys.argv[1]))
    network, size = None, 0
    with torch.inference_mode():
        for line in sys.stdin:
            order = json.loads(line)
            if "load" in order:
                size = order["load"]["inputSize"]
                network = FaceShape(order["load"]).eval()
                if order.get("freeze"):
                    traced = torch.jit.trace(network, torch.rand(1, 3, size, size))
                    network = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
                answer = {"parameters": sum(p.numel() for p in network.parameters())}
            else:
                images = torch.rand(order["run"], 3, size, size)
                start, busy = time.perf_counter(), time.process_time()
                network(images)
                wall, cpu = time.perf_counter() - start, time.process_time() - busy
                answer = {"wall": 1000 * wall, "cpu": 1000 * cpu}
            print(json.dumps(answer), flush=True)


main()
