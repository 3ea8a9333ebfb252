"""Oracle of packages/models: the same networks in PyTorch, float64, from the same weight formula.

Writes networks.json (outputs, batch statistics) and gradients.json under packages/models/test/golden.
Run from the repository's root: python scripts/golden/models.py
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

OPTIONS = {
    "inputSize": 32,
    "volumeSize": 8,
    "stacks": 2,
    "features": 12,
    "depths": [2, 8],
    "channels": 3,
    "landmarks": 5,
    "hourglassDepth": 2,
    "stem": 3,
    "stemResiduals": [6, 10, 12],
    "regressorChannels": [5, 7, 9],
    "regressorInput": "all",
    "regressorImage": True,
    "volumeGain": 4.0,
}
DECODER = [6, 4]
BATCH = 2
EPS = 1e-5


def fnv(name):
    value = 0x811C9DC5
    for char in name:
        value = ((value ^ ord(char)) * 0x01000193) & 0xFFFFFFFF
    return value


def noise(name, count):
    """Uniform numbers in [0, 1) that depend on the name and the index alone (32-bit integer hash)."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(fnv(name))
        z = (z ^ (z >> np.uint32(16))) * np.uint32(0x21F0AAAD)
        z = (z ^ (z >> np.uint32(15))) * np.uint32(0x735A2D97)
        z = z ^ (z >> np.uint32(15))
    return z.astype(np.float64) / 2**32


def draw(name, shape):
    values = noise(name, int(np.prod(shape)))
    kind = name.split("/")[-1]
    if kind == "kernel":
        values = (2 * values - 1) * math.sqrt(6 / np.prod(shape[:-1]))
    elif kind == "gamma":
        values = 0.7 + 0.6 * values
    elif kind == "moving_variance":
        values = 0.5 + values
    else:
        values = 0.4 * values - 0.2
    return values.astype(np.float32).astype(np.float64).reshape(shape)


class Weights:
    """Tensors by TensorFlow.js name and layout, made on first use."""

    def __init__(self):
        self.values = {}

    def get(self, name, shape, trainable=True):
        if name not in self.values:
            self.values[name] = torch.tensor(draw(name, shape), requires_grad=trainable)
        return self.values[name]


class Networks:
    """G, P and D on channels-first tensors; `training` switches batch normalisation, `seen` takes its statistics."""

    def __init__(self, training):
        self.w = Weights()
        self.training = training
        self.seen = {}

    def conv(self, x, name, filters, k, stride=1, pad=None):
        kernel = self.w.get(f"{name}/kernel", (k, k, x.shape[1], filters))
        bias = self.w.get(f"{name}/bias", (filters,))
        return F.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride, k // 2 if pad is None else pad)

    def conv3(self, x, name, filters, k, stride=1, pad=0):
        k = (k, k, k) if isinstance(k, int) else k
        kernel = self.w.get(f"{name}/kernel", (*k, x.shape[1], filters))
        bias = self.w.get(f"{name}/bias", (filters,))
        return F.conv3d(x, kernel.permute(4, 3, 0, 1, 2), bias, stride, pad)

    def dense(self, x, name, units):
        kernel = self.w.get(f"{name}/kernel", (x.shape[1], units))
        return x @ kernel + self.w.get(f"{name}/bias", (units,))

    def norm(self, x, name):
        c = x.shape[1]
        gamma, beta = self.w.get(f"{name}/gamma", (c,)), self.w.get(f"{name}/beta", (c,))
        mean = self.w.get(f"{name}/moving_mean", (c,), False).clone()
        var = self.w.get(f"{name}/moving_variance", (c,), False).clone()
        y = F.batch_norm(x, mean, var, gamma, beta, self.training, 0.1, EPS)
        # TensorFlow.js keeps the biased variance of the batch; PyTorch would keep n / (n - 1) times that.
        axes = [axis for axis in range(x.ndim) if axis != 1]
        old = self.w.get(f"{name}/moving_variance", (c,), False)
        self.seen.setdefault(f"{name}/moving_mean", mean)
        self.seen.setdefault(f"{name}/moving_variance", 0.9 * old + 0.1 * x.var(axes, unbiased=False))
        return y

    def norm_relu(self, x, name):
        return F.relu(self.norm(x, name))

    def norm_leaky(self, x, name):
        return F.leaky_relu(self.norm(x, name), 0.2)

    def bottleneck(self, x, name, filters):
        y = self.conv(self.norm_relu(x, f"{name}_bn1"), f"{name}_conv1", filters // 2, 1)
        y = self.conv(self.norm_relu(y, f"{name}_bn2"), f"{name}_conv2", filters // 2, 3)
        y = self.conv(self.norm_relu(y, f"{name}_bn3"), f"{name}_conv3", filters, 1)
        return y + (x if x.shape[1] == filters else self.conv(x, f"{name}_skip", filters, 1))

    def hourglass(self, x, name, depth):
        at, c = f"{name}_{depth}", x.shape[1]
        skip = self.bottleneck(x, f"{at}_skip", c)
        low = self.bottleneck(F.max_pool2d(x, 2), f"{at}_down", c)
        low = self.hourglass(low, name, depth - 1) if depth > 1 else self.bottleneck(low, f"{at}_bottom", c)
        low = self.bottleneck(low, f"{at}_up", c)
        return skip + F.interpolate(low, scale_factor=2, mode="nearest")

    def estimate(self, image):
        """[b, 3, S, S] -> flat volumes [b, d * c, h, w]."""
        o = OPTIONS
        x = self.norm_relu(self.conv(image, "stem_conv", o["stem"], 7, 2, 3), "stem_bn")
        x = F.max_pool2d(self.bottleneck(x, "stem_residual1", o["stemResiduals"][0]), 2)
        x = self.bottleneck(x, "stem_residual2", o["stemResiduals"][1])
        x = self.bottleneck(x, "stem_residual3", o["stemResiduals"][2])
        volumes = []
        for m, depth in enumerate(o["depths"]):
            name = f"stack{m + 1}"
            y = self.bottleneck(self.hourglass(x, f"{name}_hourglass", o["hourglassDepth"]), f"{name}_residual", x.shape[1])
            y = self.norm_relu(self.conv(y, f"{name}_fc", x.shape[1], 1), f"{name}_fc_bn")
            head = self.conv(y, f"{name}_head", depth * o["channels"], 1)
            volumes.append(head / o["volumeGain"])
            if m < o["stacks"] - 1:
                c = x.shape[1]
                x = x + self.conv(y, f"{name}_feedback", c, 1) + self.conv(head, f"{name}_head_feedback", c, 1)
        return volumes

    def unflatten(self, flat, depth):
        """[b, d * c, h, w] with c fastest -> [b, c, h, w, d]."""
        b, _, h, w = flat.shape
        return flat.view(b, depth, OPTIONS["channels"], h, w).permute(0, 2, 3, 4, 1)

    def encode(self, volumes, image, name):
        o = OPTIONS
        full = o["depths"][-1]
        parts = []
        for flat, depth in zip(volumes, o["depths"]):
            volume = self.unflatten(flat * o["volumeGain"], depth)
            parts.append(volume.repeat_interleave(full // depth, dim=4))
        small = F.avg_pool2d(image, image.shape[2] // o["volumeSize"])
        parts.append(small.unsqueeze(4).expand(-1, -1, -1, -1, full))
        x = torch.cat(parts, 1)
        last = len(o["regressorChannels"])
        for i, filters in enumerate(o["regressorChannels"], 1):
            if i < last:
                x = self.norm_leaky(self.conv3(x, f"{name}_conv{i}", filters, 4, 2, 1), f"{name}_bn{i}")
            else:
                x = self.conv3(x, f"{name}_conv{i}", filters, tuple(x.shape[2:]))
        return x.flatten(1)

    def regress(self, volumes, image):
        """-> [b, n * 3]"""
        return self.dense(self.encode(volumes, image, "encoder"), "coordinates", 3 * OPTIONS["landmarks"])

    def reconstruct(self, volumes, image, trunk):
        """-> flat volumes [b, d * c, h, w]"""
        return self.decode(self.encode(volumes, image, trunk))

    def decode(self, embedding):
        """[b, e] -> flat volumes [b, d * c, h, w]"""
        o = OPTIONS
        start, depth = o["volumeSize"] // 2 ** len(DECODER), o["depths"][-1] // 2 ** len(DECODER)
        x = self.dense(embedding, "decoder_dense", start * start * depth * DECODER[0])
        x = x.view(-1, start, start, depth, DECODER[0]).permute(0, 4, 1, 2, 3)
        x = self.norm_leaky(x, "decoder_bn1")
        for i, filters in enumerate(DECODER[1:], 2):
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = self.norm_leaky(self.conv3(x, f"decoder_conv{i}", filters, 3, 1, 1), f"decoder_bn{i}")
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        outputs = []
        for m, depth in enumerate(o["depths"]):
            name = f"decoder_stage{m + 1}"
            b, c, h, w, d = x.shape
            if depth == d:
                head = self.conv3(x, f"{name}_head", o["channels"], 3, 1, 1)
                flat = head.permute(0, 4, 1, 2, 3).reshape(b, depth * o["channels"], h, w)
            else:
                pooled = F.avg_pool3d(x, (1, 1, d // depth))
                plane = pooled.permute(0, 4, 1, 2, 3).reshape(b, depth * c, h, w)
                flat = self.conv(plane, f"{name}_head", depth * o["channels"], 3)
            outputs.append(flat / o["volumeGain"])
        return outputs


def last(x):
    """Channels first to channels last, the layout of TensorFlow.js."""
    return x.permute(0, 2, 3, 1) if x.ndim == 4 else x


def probe(x, name):
    """Norm, a random projection and 12 values spread over the tensor."""
    flat = last(x).detach().reshape(-1)
    direction = torch.tensor(2 * noise(name, flat.numel()) - 1)
    step = max(1, flat.numel() // 12)
    values = [flat.norm().item(), (flat @ direction).item(), *flat[::step][:12].tolist()]
    return [float(f"{value:.9g}") for value in values]


def inputs():
    size = OPTIONS["inputSize"]
    image = noise("image", BATCH * size * size * 3).astype(np.float32).astype(np.float64)
    image = torch.tensor(image.reshape(BATCH, size, size, 3)).permute(0, 3, 1, 2)
    v, c = OPTIONS["volumeSize"], OPTIONS["channels"]
    truth = []
    for m, depth in enumerate(OPTIONS["depths"]):
        flat = (0.5 * noise(f"volume{m + 1}", BATCH * v * v * depth * c)).astype(np.float32).astype(np.float64)
        truth.append(torch.tensor(flat.reshape(BATCH, v, v, depth * c)).permute(0, 3, 1, 2))
    points = noise("points", BATCH * OPTIONS["landmarks"] * 3).astype(np.float32).astype(np.float64)
    return image, truth, torch.tensor(points.reshape(BATCH, -1))


def squares(a, b):
    return sum(((x - y) ** 2).sum() for x, y in zip(a, b)) / BATCH


def outputs_of(net, image, truth):
    found = net.estimate(image)
    result = {f"estimator{m + 1}": probe(v, f"estimator{m + 1}") for m, v in enumerate(found)}
    result["regressor"] = probe(net.regress(truth, image), "regressor")
    for trunk in ("encoder", "discriminator_encoder"):
        for m, v in enumerate(net.reconstruct(truth, image, trunk)):
            result[f"{trunk}{m + 1}"] = probe(v, f"{trunk}{m + 1}")
    return result


def losses_of(image, truth, points):
    """Eq. 5, Eq. 6 on true and on estimated volumes, Eq. 10 and Eq. 13, each from networks of their own."""

    def volume(net):
        return squares(net.estimate(image), truth)

    def coordinate(net):
        return squares([net.regress(truth, image)], [points])

    def joint(net):
        return squares([net.regress(net.estimate(image), image)], [points])

    def real(net):
        return squares(net.reconstruct(truth, image, "encoder"), truth)

    def real_unshared(net):
        return squares(net.reconstruct(truth, image, "discriminator_encoder"), truth)

    def adversarial(net):
        found = net.estimate(image)
        return squares(found, net.reconstruct(found, image, "encoder"))

    result = {}
    for loss in (volume, coordinate, joint, real, real_unshared, adversarial):
        net = Networks(training=True)
        value = loss(net)
        trained = {name: t for name, t in net.w.values.items() if t.requires_grad}
        gradients = torch.autograd.grad(value, list(trained.values()), allow_unused=True)
        probes = {}
        for name, gradient in zip(trained, gradients):
            if gradient is None:
                continue
            flat = gradient.reshape(-1)
            direction = torch.tensor(2 * noise(name, flat.numel()) - 1)
            probes[name] = [float(f"{v:.7g}") for v in (flat.norm().item(), (flat @ direction).item())]
        result[loss.__name__] = {"value": value.item(), "gradients": probes}
    return result


def statistics_of(image):
    net = Networks(training=True)
    net.estimate(image)
    return {name: probe(value, name)[:2] for name, value in net.seen.items()}


def main():
    image, truth, points = inputs()
    golden = {
        "script": "scripts/golden/models.py",
        "options": OPTIONS,
        "decoderChannels": DECODER,
        "batch": BATCH,
        "inference": outputs_of(Networks(training=False), image, truth),
        "training": outputs_of(Networks(training=True), image, truth),
        "statistics": statistics_of(image),
    }
    write("networks.json", golden)
    write("gradients.json", {"script": golden["script"], "losses": losses_of(image, truth, points)})


def write(name, content):
    path = Path(__file__).resolve().parents[2] / "packages/models/test/golden" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
