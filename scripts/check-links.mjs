// Checks every relative link and anchor in the repository's Markdown files. Run from the root: npx -y pnpm@12 links
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { encoding: 'utf8' });
const files = listed.stdout.split('\n').filter((file) => file !== '' && existsSync(file));
const anchors = new Map();
const broken = [];
let count = 0;
for (const file of files) {
  for (const [, target] of withoutCode(readFileSync(file, 'utf8')).matchAll(/\]\(<?([^)\s>]+)>?[^)]*\)/g)) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue;
    count += 1;
    const [path, anchor] = target.split('#');
    const wanted =
      path === '' ? file : path[0] === '/' ? pageOf(path) : join(dirname(file), decodeURIComponent(path));
    // Written by typedoc; VitePress checks these.
    if (wanted.startsWith('site/api')) continue;
    if (!existsSync(wanted)) broken.push(`${file}: no such file: ${target}`);
    else if (
      anchor &&
      wanted.endsWith('.md') &&
      statSync(wanted).isFile() &&
      !anchorsOf(wanted).has(anchor)
    ) {
      broken.push(`${file}: no such heading: ${target}`);
    }
  }
}
for (const line of broken) console.error(line);
console.log(`${count} relative links in ${files.length} files, ${broken.length} broken`);
process.exit(broken.length > 0 || count === 0 ? 1 : 0);

/** The Markdown file behind an address of the documentation site; scripts/build-site.mjs puts them there. */
function pageOf(address) {
  const [, room, name] = address.split('/');
  if (address.startsWith('/docs/pictures/')) return address.slice(1);
  if (room === 'packages') return `packages/${name}/README.md`;
  if (room === 'docs') return `docs/${name || 'README'}.md`;
  return join('site', address.endsWith('/') ? address : `${address}.md`);
}

/** Headings as GitHub makes anchors of them; the second heading of a name gets `-1`. */
function anchorsOf(file) {
  if (anchors.has(file)) return anchors.get(file);
  const found = new Set();
  const seen = new Map();
  for (const [, title] of withoutCode(readFileSync(file, 'utf8'), false).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    found.add(times === 0 ? slug : `${slug}-${times}`);
  }
  anchors.set(file, found);
  return found;
}

function withoutCode(text, inline = true) {
  const plain = text.replace(/^```.*?^```/gms, '');
  return inline ? plain.replace(/`[^`\n]*`/g, '') : plain;
}
