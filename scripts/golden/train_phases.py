"""Every phase of training, and a run of fourteen steps, in PyTorch: packages/train/test/golden/phases.json.

    python scripts/golden/train_phases.py

The networks are those of models.py (float64, weights from their names); true volumes and heatmaps come from the dense NumPy
evaluation of Eq. 1 to 3 in volume_oracle.py. Losses are written image by image, as the paper's sums are, and not batch
by batch as in packages/train. Batches hold two 3D and three 2D images; one of the latter hides a landmark.
"""
import json
import math
import re
from pathlib import Path

import models
import numpy as np
import torch
import volume_oracle

SIZE, LANDMARKS, CUTOFF = 16, 5, 1e-3
GAIN = (2 * math.pi) ** 1.5
OPTIONS = {
    'inputSize': SIZE,
    'volumeSize': 4,
    'stacks': 2,
    'features': 6,
    'depths': [1, 2],
    'channels': 3,
    'landmarks': LANDMARKS,
    'hourglassDepth': 1,
    'stem': 2,
    'stemResiduals': [4, 4, 6],
    'regressorChannels': [4, 3],
    'regressorInput': 'all',
    'regressorImage': True,
    'volumeGain': GAIN,
}
DECODER = [5]
WEIGHTS = {'coordinate': 1.3, 'auxiliary': 0.2, 'adversarial': 0.05}
MU = 0.4
SHARE = 0.3
BALANCE = {'gamma': 0.9, 'rate': 0.25}
SCALES = [['^stack._head/kernel$', 0.05], ['^decoder.*_head/kernel$', 0.3], ['^coordinates/kernel$', 0.1]]
RATE, RATES, EPSILON = 2e-3, {'estimator': 1, 'regressor': 0.8, 'discriminator': 0.5}, 1e-2
STAGES = [('pretrain', 2), ('mixed', 2), ('adversarial', 10)]


def network_of(name):
    if name.startswith(('decoder', 'discriminator_encoder')):
        return 'discriminator'
    return 'regressor' if name.startswith(('encoder', 'coordinates')) else 'estimator'


class Networks(models.Networks):
    """G, P and D whose running statistics move only while their network is among `recorded`."""

    def __init__(self, shared, form='literal'):
        super().__init__(training=True)
        self.shared, self.form = shared, form
        self.recorded = ()

    def norm(self, x, name):
        c = x.shape[1]
        gamma, beta = self.w.get(f'{name}/gamma', (c,)), self.w.get(f'{name}/beta', (c,))
        mean = self.w.get(f'{name}/moving_mean', (c,), False)
        variance = self.w.get(f'{name}/moving_variance', (c,), False)
        if network_of(name) not in self.recorded:
            mean, variance = mean.clone(), variance.clone()
        return torch.nn.functional.batch_norm(x, mean, variance, gamma, beta, True, 0.1, models.EPS)

    def discriminate(self, volumes, image):
        """Reconstructions per stage, and coordinates where D shares the encoder of P."""
        if not self.shared:
            return self.reconstruct(volumes, image, 'discriminator_encoder'), None
        embedding = self.encode(volumes, image, 'encoder')
        return self.decode(embedding), self.dense(embedding, 'coordinates', 3 * LANDMARKS)

    def parameters(self, network):
        return {n: t for n, t in self.w.values.items() if t.requires_grad and network_of(n) == network}


class Image:
    """One training image with its truth. `key` seeds everything."""

    def __init__(self, key, dims, hidden=None):
        self.dims, self.hidden = dims, hidden
        pixels = np.floor(256 * models.noise(f'{key} pixels', SIZE * SIZE * 3))
        self.pixels = torch.tensor(pixels.reshape(SIZE, SIZE, 3) / 255).permute(2, 0, 1)
        u = models.noise(f'{key} points', LANDMARKS * dims).reshape(LANDMARKS, dims)
        points = np.where(np.arange(dims) == 2, 0.6 * u - 0.3, 0.2 + 0.6 * u).astype(np.float32).astype(np.float64)
        self.points = torch.tensor(points)
        colors, side = volume_oracle.hue_wheel(LANDMARKS), OPTIONS['volumeSize']
        if dims == 3:
            self.volumes = [
                torch.tensor(volume_oracle.cut_volume(points, colors, side, side, d, 1, 'normalized', 'density', CUTOFF))
                for d in OPTIONS['depths']
            ]
        else:
            self.heatmap = torch.tensor(volume_oracle.heatmap(points, colors, side, side, 1, 'density', CUTOFF))

    def voxel_loss(self, found):
        """Eq. 7 per stage; found: one [h, w, d, c] per stage."""
        if self.dims == 3:
            return [((a - b) ** 2).sum() for a, b in zip(found, self.volumes)]
        if self.hidden is not None:
            return [torch.zeros(()) for _ in found]
        return [((a.sum(2) - self.heatmap) ** 2).sum() for a in found]

    def coordinate_loss(self, found):
        """Eq. 8; found: [n, 3]."""
        if self.dims == 3:
            return ((found - self.points) ** 2).sum()
        known = [n for n in range(LANDMARKS) if n != self.hidden]
        return ((found[known, :2] - self.points[known]) ** 2).sum()


def mean(values):
    return sum(values) / len(values)


def stack(images):
    return torch.stack([image.pixels for image in images])


def truth_of(images):
    """True volumes [b, d * c, h, w] per stage."""
    stages = zip(*[image.volumes for image in images])
    return [torch.stack([v.flatten(2).permute(2, 0, 1) for v in stage]) for stage in stages]


def per_image(volumes):
    """Flat stages [b, d * c, h, w] as one list of [h, w, d, c] per image."""
    shaped = [v.permute(0, 2, 3, 1).unflatten(3, (d, 3)) for v, d in zip(volumes, OPTIONS['depths'])]
    return [[stage[i] for stage in shaped] for i in range(len(volumes[0]))]


def energy(net, volumes, rebuilt):
    """Eq. 10 and 13, or errors over the volume's own energy: sum over stages of each image, mean over the images."""

    def error(v, r):
        return ((v - r) ** 2).sum() / (((v**2).sum() + 1e-6) if net.form == 'relative' else 1)

    return mean([sum(error(v[i], r[i]) for v, r in zip(volumes, rebuilt)) for i in range(len(volumes[0]))])


def voxel_terms(volumes, images):
    losses = [image.voxel_loss(found) for image, found in zip(images, per_image(volumes))]
    terms = {'volume': mean([sum(loss) for loss in losses])}
    for dims in (3, 2):
        kind = [loss for loss, image in zip(losses, images) if image.dims == dims]
        for m in range(len(volumes) if kind else 0):
            terms[f'volume{m + 1}_{dims}d'] = mean([loss[m] for loss in kind])
    return terms


def coordinate_terms(coordinates, images):
    losses = [image.coordinate_loss(c) for image, c in zip(images, coordinates.unflatten(1, (LANDMARKS, 3)))]
    terms = {'coordinate': mean(losses)}
    for dims in (3, 2):
        kind = [loss for loss, image in zip(losses, images) if image.dims == dims]
        if kind:
            terms[f'coordinate_{dims}d'] = mean(kind)
    return terms


def volume_phase(net, images, mu):
    net.recorded = ('estimator',)
    terms = voxel_terms(net.estimate(stack(images)), images)
    return terms['volume'], terms, ('estimator',)


def coordinate_phase(net, images, mu):
    images = [image for image in images if image.dims == 3]
    net.recorded = ('regressor',)
    loss = coordinate_terms(net.regress(truth_of(images), stack(images)), images)['coordinate']
    return loss, {'trueCoordinate': loss}, ('regressor',)


def joint_phase(net, images, mu):
    net.recorded = ('estimator', 'regressor')
    volumes = net.estimate(stack(images))
    terms = {**voxel_terms(volumes, images), **coordinate_terms(net.regress(volumes, stack(images)), images)}
    return terms['volume'] + WEIGHTS['coordinate'] * terms['coordinate'], terms, ('estimator', 'regressor')


def discriminator_phase(net, images, mu):
    trained = ('regressor', 'discriminator') if net.shared else ('discriminator',)
    complete = [image for image in images if image.dims == 3]
    net.recorded = ()
    with torch.no_grad():
        fakes = net.estimate(stack(images))
    truth = truth_of(complete)
    rebuilt, true_coordinates = net.discriminate(truth, stack(complete))
    net.recorded = trained
    rebuilt_fakes, coordinates = net.discriminate(fakes, stack(images))
    terms = {'real': energy(net, truth, rebuilt), 'fake': energy(net, fakes, rebuilt_fakes)}
    loss = terms['real'] - mu * terms['fake']
    if net.shared:
        terms['trueCoordinate'] = coordinate_terms(true_coordinates, complete)['coordinate']
        terms['coordinate'] = coordinate_terms(coordinates, images)['coordinate']
        loss = loss + WEIGHTS['auxiliary'] * (terms['trueCoordinate'] + terms['coordinate'])
    return loss, terms, trained


def generator_phase(net, images, mu):
    net.recorded = ('estimator',)
    volumes = net.estimate(stack(images))
    rebuilt, coordinates = net.discriminate(volumes, stack(images))
    if not net.shared:
        net.recorded = ('regressor',)
        coordinates = net.regress(volumes, stack(images))
    terms = {**voxel_terms(volumes, images), **coordinate_terms(coordinates, images)}
    terms['adversarial'] = energy(net, volumes, rebuilt)
    loss = terms['volume'] + WEIGHTS['coordinate'] * terms['coordinate']
    weight = WEIGHTS['adversarial']
    if net.form == 'relative':
        norms = [
            torch.cat([g.flatten() for g in torch.autograd.grad(x, volumes, retain_graph=True)]).norm()
            for x in (loss, terms['adversarial'])
        ]
        weight = terms['adversarialWeight'] = (SHARE * norms[0] / norms[1]).detach()
    loss = loss + weight * terms['adversarial']
    return loss, terms, ('estimator',) if net.shared else ('estimator', 'regressor')


def reconstruction_phase(net, images, mu):
    complete = [image for image in images if image.dims == 3]
    net.recorded = ('discriminator',)
    truth = truth_of(complete)
    terms = {'real': energy(net, truth, net.discriminate(truth, stack(complete))[0])}
    return terms['real'], terms, ('discriminator',)


PHASES = {
    'volume': volume_phase,
    'coordinate': coordinate_phase,
    'joint': joint_phase,
    'discriminator': discriminator_phase,
    'generator': generator_phase,
    'reconstruction': reconstruction_phase,
}
STAGE_PHASES = {
    'pretrain': ['volume', 'coordinate'],
    'mixed': ['joint'],
    'adversarial': ['discriminator', 'generator'],
}


def batch(step, count3d, count2d):
    """The images of a step; the second 2D image hides landmark 3."""
    plane = [Image(f'{step} 2d-{i}', 2, 3 if i == 1 else None) for i in range(count2d)]
    return [Image(f'{step} 3d-{i}', 3) for i in range(count3d)] + plane


def create(shared, form='literal'):
    """Networks with all their weights made."""
    net = Networks(shared, form)
    images = batch('start', 2, 0)
    with torch.no_grad():
        net.discriminate(net.estimate(stack(images)), stack(images))
        net.regress(truth_of(images), stack(images))
        # Volumes and reconstructions of the size of the truth, so that neither side of Eq. 12 rules.
        for name, value in net.w.values.items():
            for pattern, factor in SCALES:
                if re.search(pattern, name):
                    value *= factor
    return net


def probe(value, name):
    """Norm and a random projection."""
    flat = value.detach().reshape(-1)
    direction = torch.tensor(2 * models.noise(name, flat.numel()) - 1)
    return [float(f'{v:.8g}') for v in (flat.norm().item(), (flat @ direction).item())]


def values(terms):
    return {name: float(f'{term.item():.9g}') for name, term in terms.items()}


def statistics(net, moved_from=None):
    return {
        name: probe(value, name)
        for name, value in net.w.values.items()
        if not value.requires_grad and (moved_from is None or not torch.equal(value, moved_from[name]))
    }


def phase_case(phase, shared, form='literal'):
    net = create(shared, form)
    start = {name: value.detach().clone() for name, value in net.w.values.items()}
    images = batch('phase', 2, 0 if phase == 'coordinate' else 3)
    loss, terms, trained = PHASES[phase](net, images, MU)
    gradients = {}
    for network in trained:
        parameters = net.parameters(network)
        found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True, retain_graph=True)
        gradients[network] = {
            name: probe(torch.zeros_like(parameters[name]) if g is None else g, name) for name, g in zip(parameters, found)
        }
    moved = statistics(net, start)
    return {'phase': phase, 'shared': shared, 'form': form, 'losses': values(terms), 'gradients': gradients, 'statistics': moved}


def run_case(shared):
    """The whole run: one Adam per network, D and P before G, mu by Eq. 12 after both."""
    net, mu, step, records = create(shared), 0.0, 0, []
    optimizers = {
        name: torch.optim.Adam(net.parameters(name).values(), lr=RATE * factor, eps=EPSILON) for name, factor in RATES.items()
    }
    for kind, steps in STAGES:
        for _ in range(steps):
            images = batch(step, 5, 0) if kind == 'pretrain' else batch(step, 2, 3)
            losses = {}
            for phase in STAGE_PHASES[kind]:
                for optimizer in optimizers.values():
                    optimizer.zero_grad()
                loss, terms, trained = PHASES[phase](net, images, mu)
                loss.backward()
                for network in trained:
                    optimizers[network].step()
                losses.update(values(terms))
            record = {'losses': losses}
            if kind == 'adversarial':
                gap = BALANCE['gamma'] * losses['real'] - losses['fake']
                mu = min(1, max(0, mu + BALANCE['rate'] * gap))
                record.update(mu=mu, gap=gap)
            records.append(record)
            step += 1
    parameters = {name: probe(value, name) for name, value in net.w.values.items() if value.requires_grad}
    return {'shared': shared, 'steps': records, 'parameters': parameters, 'statistics': statistics(net)}


def main():
    models.OPTIONS.clear()
    models.OPTIONS.update(OPTIONS)
    models.DECODER[:] = DECODER
    cases = [('volume', True), ('coordinate', True), ('joint', True)]
    adversarial = ('discriminator', 'generator', 'reconstruction')
    cases += [(phase, shared) for phase in adversarial for shared in (True, False)]
    cases += [('discriminator', True, 'relative'), ('generator', True, 'relative'), ('generator', False, 'relative')]
    golden = {
        'script': 'scripts/golden/train_phases.py',
        'torch': torch.__version__,
        'options': OPTIONS,
        'decoderChannels': DECODER,
        'scales': SCALES,
        'weights': WEIGHTS,
        'mu': MU,
        'share': SHARE,
        'balance': BALANCE,
        'rate': RATE,
        'rateOf': RATES,
        'epsilon': EPSILON,
        'stages': [{'kind': kind, 'steps': steps} for kind, steps in STAGES],
        'phases': [phase_case(*case) for case in cases],
        'runs': [run_case(shared) for shared in (True, False)],
    }
    for run in golden['runs']:
        print('mu', [round(r['mu'], 4) for r in run['steps'] if 'mu' in r], run['steps'][-1]['losses'])
    path = Path(__file__).resolve().parents[2] / 'packages/train/test/golden/phases.json'
    path.write_text(json.dumps(golden, separators=(',', ':')) + '\n')
    print(path.name, path.stat().st_size, 'bytes')


if __name__ == '__main__':
    main()
