/**
 * Preload that keeps the last graph that `recordGraph` wrote: copies it to the folder VOXFACE_GRAPH before it is removed.
 * See `scripts/bench/profile_graph.py`.
 */
const fs = process.getBuiltinModule('node:fs');
const { VOXFACE_GRAPH: folder } = process.env;
const remove = fs.rmSync;
fs.rmSync = (path, options) => {
  if (folder && String(path).includes('voxface-graph-'))
    fs.cpSync(path as string, folder, { recursive: true });
  remove(path, options);
};
