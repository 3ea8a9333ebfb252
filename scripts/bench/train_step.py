"""The training step of packages/train/bench/step.ts in PyTorch, on the same cores, for comparison.

    python scripts/bench/train_step.py [--preset small] [--batch 12] [--threads 2] [--steps 8] [--phases joint]

Same layers as packages/models builds (stacked hourglasses of bottlenecks, 3D convolutions of kernel 4), NCHW, random
weights and inputs: the arithmetic of forward, backward and Adam, without data. Prints the best, the median and the
CPU time of each phase in ms per step, and samples/s, with the parameter counts to compare the networks by.
"""
import argparse
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

PRESETS = {
    'small': dict(size=128, features=64, depths=[1, 32], regressor=[24, 48, 96, 160, 160], last_only=True),
    'wide': dict(size=128, features=128, depths=[1, 32], regressor=[24, 48, 96, 160, 160], last_only=True),
    'phone': dict(size=128, features=48, depths=[32], regressor=[16, 32, 64, 128, 128], last_only=True),
    'paper': dict(size=256, features=256, depths=[1, 2, 4, 64], regressor=[64, 128, 256, 512, 256], last_only=False),
}


class Bottleneck(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        half = outputs // 2
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, half, 1),
            nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, half, 3, padding=1),
            nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, outputs, 1),
        )
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        return self.body(x) + self.skip(x)


class Hourglass(nn.Module):
    def __init__(self, depth, width):
        super().__init__()
        self.up, self.down, self.after = (Bottleneck(width, width) for _ in range(3))
        self.inner = Hourglass(depth - 1, width) if depth > 1 else Bottleneck(width, width)

    def forward(self, x):
        low = self.after(self.inner(self.down(F.max_pool2d(x, 2))))
        return self.up(x) + F.interpolate(low, scale_factor=2)


class Estimator(nn.Module):
    def __init__(self, size, features, depths, **_):
        super().__init__()
        stem = features // 4
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 7, 2, 3), nn.BatchNorm2d(stem), nn.ReLU(), Bottleneck(stem, 2 * stem),
            nn.MaxPool2d(2), Bottleneck(2 * stem, 2 * stem), Bottleneck(2 * stem, features),
        )
        self.stacks = nn.ModuleList()
        for m, depth in enumerate(depths):
            last = m == len(depths) - 1
            self.stacks.append(nn.ModuleDict({
                'body': nn.Sequential(
                    Hourglass(4, features), Bottleneck(features, features), nn.Conv2d(features, features, 1),
                    nn.BatchNorm2d(features), nn.ReLU(),
                ),
                'head': nn.Conv2d(features, depth * 3, 1),
                'feedback': nn.Identity() if last else nn.Conv2d(features, features, 1),
                'head_feedback': nn.Identity() if last else nn.Conv2d(depth * 3, features, 1),
            }))

    def forward(self, image):
        x = self.stem(image)
        volumes = []
        for m, stack in enumerate(self.stacks):
            y = stack['body'](x)
            volumes.append(stack['head'](y))
            if m < len(self.stacks) - 1:
                x = x + stack['feedback'](y) + stack['head_feedback'](volumes[-1])
        return volumes


class Regressor(nn.Module):
    def __init__(self, size, depths, regressor, last_only, **_):
        super().__init__()
        self.depth, self.last_only = depths[-1], last_only
        side = size // 4
        channels = [3 + 3 * (1 if last_only else len(depths)), *regressor]
        layers = []
        for i, (a, b) in enumerate(zip(channels, regressor)):
            if i < len(regressor) - 1:
                layers += [nn.Conv3d(a, b, 4, 2, 1), nn.BatchNorm3d(b), nn.LeakyReLU(0.2)]
                side //= 2
            else:
                layers += [nn.Conv3d(a, b, side)]
        self.body, self.fc = nn.Sequential(*layers), nn.Linear(regressor[-1], 204)

    def forward(self, volumes, image):
        b, _, s, _ = volumes[0].shape
        parts = [volumes[-1]] if self.last_only else volumes
        grids = [v.reshape(b, -1, 3, s, s).transpose(1, 2) for v in parts]
        grids = [F.interpolate(g, size=(self.depth, s, s)) for g in grids]
        tiled = F.avg_pool2d(image, 4)[:, :, None].expand(-1, -1, self.depth, -1, -1)
        return self.fc(self.body(torch.cat([*grids, tiled], 1)).flatten(1))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument('--preset', choices=PRESETS, default='small')
    arguments.add_argument('--batch', type=int, default=12)
    arguments.add_argument('--threads', type=int, default=2)
    arguments.add_argument('--steps', type=int, default=8)
    arguments.add_argument('--phases', default='volume,coordinate,joint')
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    preset, b = PRESETS[options.preset], options.batch
    g, p = Estimator(**preset), Regressor(**preset)
    image = torch.rand(b, 3, preset['size'], preset['size'])
    side = preset['size'] // 4
    truth = [torch.rand(b, 3 * d, side, side) for d in preset['depths']]
    unit = torch.rand(b, 204)
    adam_g, adam_p = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(p.parameters(), 1e-3)
    squares = lambda x, y: ((x - y) ** 2).sum() / b
    voxels = lambda v: sum(squares(x, y) for x, y in zip(v, truth))
    count = lambda net: sum(t.numel() for t in net.parameters()) / 1e6
    print(f'torch {torch.__version__}, {options.threads} threads, {options.preset}, batch {b}: '
          f'G {count(g):.2f} M, P {count(p):.2f} M')

    def joint():
        v = g(image)
        return voxels(v) + squares(p(v, image), unit)

    phases = {
        'volume': (lambda: voxels(g(image)), [adam_g]),
        'coordinate': (lambda: squares(p(truth, image), unit), [adam_p]),
        'joint': (joint, [adam_g, adam_p]),
    }
    for name in options.phases.split(','):
        loss, optimizers = phases[name]
        times, cpu = [], 0.0
        for step in range(options.steps + 1):
            start, used = time.perf_counter(), time.process_time()
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss().backward()
            for optimizer in optimizers:
                optimizer.step()
            if step:
                times.append(time.perf_counter() - start)
                cpu += (time.process_time() - used) / options.steps
        best, middle = min(times), statistics.median(times)
        print(f'{name:12s} best {best * 1e3:7.1f} ms, median {middle * 1e3:7.1f} ms, '
              f'cpu {cpu * 1e3:7.1f} ms, {b / middle:6.1f} samples/s')


main()
