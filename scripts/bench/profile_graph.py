"""Time by operation of a graph that recordGraph wrote, run by TensorFlow's own session on one thread.

    VOXFACE_GRAPH=FOLDER node --import tsx --import ./packages/train/bench/keep-graph.ts \
        --conditions=voxface-source packages/train/bench/step.ts small 12 node joint
    VOXFACE_OPERATIONS=FILE python scripts/bench/profile_graph.py FOLDER

FILE: `operations-*.node` of the build in the cache, for graphs with operations of our own (docs/native-node.md).
Needs the wheel tensorflow-cpu. Random inputs of the placeholders' shapes; every operation at its fastest of 14 runs.
"""
import collections
import os
import sys
import time

os.environ.update(TF_ENABLE_ONEDNN_OPTS='1', TF_CPP_MIN_LOG_LEVEL='2')
import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402
from tensorflow.core.protobuf import saved_model_pb2  # noqa: E402

RUNS = 14


def main():
    tf.disable_eager_execution()
    if os.environ.get('VOXFACE_OPERATIONS'):
        tf.load_op_library(os.environ['VOXFACE_OPERATIONS'])
    saved = saved_model_pb2.SavedModel()
    with open(os.path.join(sys.argv[1], 'saved_model.pb'), 'rb') as file:
        saved.ParseFromString(file.read())
    graph = saved.meta_graphs[0].graph_def
    tf.import_graph_def(graph, name='')
    session = tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1))
    random = np.random.RandomState(0)
    shape = lambda node: [size.size for size in node.attr['shape'].shape.dim]
    feed = {f'{node.name}:0': random.uniform(.05, .15, shape(node)).astype('f')
            for node in graph.node if node.op == 'Placeholder'}
    read = {source.split(':')[0] for node in graph.node for source in node.input}
    outputs = [f'{node.name}:0' for node in graph.node if node.name not in read and node.op != 'Placeholder']
    for _ in range(3):
        session.run(outputs, feed)
    start = time.process_time()
    for _ in range(RUNS):
        session.run(outputs, feed)
    print(f'{(time.process_time() - start) / RUNS * 1e3:.0f} ms of processor time per run')
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE, output_partition_graphs=True)
    best, operation = collections.defaultdict(lambda: float('inf')), {}
    for _ in range(RUNS):
        metadata = tf.RunMetadata()
        session.run(outputs, feed, options=options, run_metadata=metadata)
        operation.update((node.name, node.op) for part in metadata.partition_graphs for node in part.node)
        for device in metadata.step_stats.dev_stats:
            for node in device.node_stats:
                spent = (node.op_end_rel_micros - node.op_start_rel_micros) / 1e3
                best[node.node_name] = min(best[node.node_name], spent)
    total = collections.defaultdict(lambda: [0, 0])
    for name, spent in best.items():
        entry = total[operation.get(name, name)]
        entry[0] += spent
        entry[1] += 1
    print(f'{sum(best.values()):.0f} ms in all operations at their fastest')
    for name, (spent, count) in sorted(total.items(), key=lambda item: -item[1][0])[:30]:
        print(f'{name:40s} {count:5d} {spent:8.1f} ms')


main()
