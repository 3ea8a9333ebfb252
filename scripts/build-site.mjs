// Builds the documentation site into site/.vitepress/dist: the pages of site/, the guides of docs/, the packages' READMEs, and
// the reference that typedoc writes. A dead link ends it, and so does a warning.
// Usage: node scripts/build-site.mjs [--stage]   (--stage: only gathers the pages, for `vitepress dev site`)
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Folders of the site that this script writes; git ignores them. */
const GENERATED = ['docs', 'packages', 'api'];

for (const name of GENERATED) rmSync(join('site', name), { recursive: true, force: true });
const pages = new Map();
for (const file of readdirSync('docs').filter((name) => name.endsWith('.md'))) {
  pages.set(join('docs', file), join('docs', file === 'README.md' ? 'index.md' : file));
}
for (const name of readdirSync('packages')) {
  const manifest = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'));
  if (!manifest.private) pages.set(`packages/${name}/README.md`, `packages/${name}.md`);
}
for (const [source, target] of pages) {
  const out = join('site', target);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, rewriteLinks(readFileSync(source, 'utf8'), source));
}
cpSync('docs/pictures', 'site/docs/pictures', { recursive: true });
run('typedoc', '--options', 'site/typedoc.json');
if (!process.argv.includes('--stage')) run('vitepress', 'build', 'site');

/** Links among the pages lead to their place in the site; what only the repository holds becomes plain text. */
function rewriteLinks(text, source) {
  return text
    .split(/(```[\s\S]*?```)/)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, rewrite)))
    .join('');

  function rewrite(whole, image, label, target) {
    if (/^[a-z]+:|^#/.test(target)) return whole;
    const [path, anchor] = target.split('#');
    const wanted = normalize(join(dirname(source), path)).replace(/\/$/, '');
    if (image && existsSync(wanted) && wanted.startsWith('docs/')) return `![${label}](/${wanted})`;
    const page = pages.get(wanted) ?? pages.get(`${wanted}/README.md`);
    if (image || page === undefined) return label;
    return `[${label}](/${page.replace(/(index)?\.md$/, '')}${anchor ? `#${anchor}` : ''})`;
  }
}

function run(command, ...args) {
  const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${command}`, args, { encoding: 'utf8' });
  const text = stdout + stderr;
  const warnings = text
    .split('\n')
    .filter((line) => /\bwarn(ing)?\b|^\(!\)/i.test(line) && !/0 warnings/.test(line));
  process.stdout.write(text);
  if (status === 0 && warnings.length === 0) return;
  console.error(`build-site: ${command} ended with ${status} and ${warnings.length} warnings`);
  process.exit(1);
}
