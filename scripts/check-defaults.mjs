// Compares the `@default` of every public option with the value that the code uses: fields of X_DEFAULTS, and fallbacks
// written as `options.field ?? value` or `{ field = value } = options`. A public option with a default and no `@default` fails
// as well. `@default` in words passes where the code computes the value. Run from the root: npx -y pnpm@12 house
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import ts from 'typescript';

const packages = readdirSync('packages').filter(
  (name) => !JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8')).private,
);
const files = packages.flatMap((name) =>
  readdirSync(`packages/${name}/src`, { recursive: true })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.generated.ts'))
    .map((file) => join('packages', name, 'src', file)),
);
const program = ts.createProgram(files, {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  strict: true,
  customConditions: ['voxface-source'],
  allowImportingTsExtensions: true,
  noEmit: true,
  skipLibCheck: true,
});
const checker = program.getTypeChecker();
const published = publishedTypes();
/** Declaration of a field -> where its default stands: names of defaults objects, or expressions. */
const sources = new Map();
for (const file of files) visit(program.getSourceFile(file));

const problems = [];
let compared = 0;
let worded = 0;
for (const [declaration, { where, value, known }] of await resolveSources()) {
  const text = defaultOf(declaration);
  const title = `${place(declaration)} ${declaration.name.getText()}`;
  if (text === undefined) {
    problems.push({ title, text: `has no @default; ${where} says ${describe(value, known)}` });
  } else if (!known) {
    worded++;
  } else if (await says(declaration, text, value)) {
    compared++;
  } else if (isEmpty(value) && evaluate(text, {}) === undefined) {
    worded++;
  } else {
    problems.push({ title, text: `says @default ${text}, ${where} says ${describe(value, known)}` });
  }
}
for (const { title, text } of problems) console.error(`  ${title} ${text}`);
const passed = problems.length === 0 && compared > 0;
console.log(
  `${passed ? 'ok    ' : 'FAILED'} defaults: ${compared} values of @default are those of the code, ${worded} are computed and given in words, ${problems.length} wrong or missing`,
);
process.exit(passed ? 0 : 1);

/** Interfaces and types of options that packages export and do not mark `@internal`. */
function publishedTypes() {
  const found = new Set();
  for (const name of packages) {
    const { exports } = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'));
    const entries = Object.values(exports).flatMap((entry) => {
      const source = entry['voxface-source'];
      return typeof source === 'object' ? Object.values(source) : [source];
    });
    for (const entry of entries.filter((file) => file?.endsWith('.ts'))) {
      const symbol = checker.getSymbolAtLocation(program.getSourceFile(join('packages', name, entry)));
      for (const item of symbol ? checker.getExportsOfModule(symbol) : []) {
        const target = item.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(item) : item;
        if (target.getJsDocTags().some((tag) => tag.name === 'internal')) continue;
        for (const declaration of target.declarations ?? []) found.add(declaration);
      }
    }
  }
  return found;
}

/** Collects where defaults of options stand. */
function visit(node) {
  if (ts.isIdentifier(node) && /_DEFAULTS$/.test(node.text)) noteDefaults(node);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) {
    const left = node.left;
    if (ts.isPropertyAccessExpression(left)) noteFallback(checker.getSymbolAtLocation(left.name), node.right);
  }
  if (ts.isBindingElement(node) && node.initializer && ts.isObjectBindingPattern(node.parent)) {
    const field = (node.propertyName ?? node.name).getText();
    noteFallback(checker.getTypeAtLocation(node.parent).getProperty(field), node.initializer);
  }
  ts.forEachChild(node, visit);
}

/** X_DEFAULTS at its declaration (the fields of its type), or laid under options by `withDefaults`. */
function noteDefaults(node) {
  if (ts.isVariableDeclaration(node.parent) && node.parent.name === node) {
    const type = checker.getTypeAtLocation(node);
    for (const field of type.getProperties()) note(field, { defaults: node });
  }
  const call = node.parent;
  if (
    !ts.isCallExpression(call) ||
    call.expression.getText() !== 'withDefaults' ||
    call.arguments[0] !== node
  )
    return;
  const options = checker.getNonNullableType(checker.getTypeAtLocation(call.arguments[1]));
  const names = new Set(
    checker
      .getTypeAtLocation(node)
      .getProperties()
      .map(({ name }) => name),
  );
  for (const field of options.getProperties()) if (names.has(field.name)) note(field, { defaults: node });
}

function noteFallback(symbol, expression) {
  if (!symbol) return;
  if (/^\w+_DEFAULTS\.\w+$/.test(expression.getText())) note(symbol, { defaults: expression.expression });
  else note(symbol, { expression });
}

function note(symbol, source) {
  for (const declaration of symbol.declarations ?? []) {
    if (!ts.isPropertySignature(declaration) || !isPublicOption(declaration)) continue;
    const known = sources.get(declaration) ?? [];
    const order = known.length === 0 ? 1 : rank(source, declaration) - rank(known[0], declaration);
    if (order >= 0) sources.set(declaration, order > 0 ? [source] : [...known, source]);
  }
}

/** A defaults object says more than a fallback, and one beside the interface more than another function's. */
function rank({ defaults, expression }, declaration) {
  const file = (defaults ? variableOf(defaults) : expression).getSourceFile();
  return (defaults ? 2 : 0) + (file === declaration.getSourceFile() ? 1 : 0);
}

function variableOf(identifier) {
  const symbol = checker.getSymbolAtLocation(identifier);
  return (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol).valueDeclaration;
}

function isPublicOption(declaration) {
  const owner = declaration.parent;
  return (
    ts.isInterfaceDeclaration(owner) && /(Options|Angles)$/.test(owner.name.text) && published.has(owner)
  );
}

/** The default of every field; one that differs from function to function is known to nobody but words. */
async function resolveSources() {
  const resolved = [];
  for (const [declaration, found] of sources) {
    const values = (await Promise.all(found.map((source) => resolveSource(declaration, source)))).filter(
      Boolean,
    );
    if (values.length === 0) continue;
    const agree = values.every(({ value }) => isDeepStrictEqual(value, values[0].value));
    resolved.push([declaration, { ...values[0], known: agree && values[0].known }]);
  }
  return resolved;
}

async function resolveSource(declaration, { defaults, expression }) {
  if (defaults) {
    const variable = variableOf(defaults);
    const name = variable.name.getText();
    const file = variable.getSourceFile().fileName;
    const object = (await import(pathToFileURL(resolve(file)).href))[name];
    const field = declaration.name.getText();
    const where = `${name} of ${relative('.', file)}`;
    if (object === undefined) throw new Error(`${where} must be exported: nothing can compare it otherwise`);
    return field in object ? { where, value: object[field], known: true } : undefined;
  }
  const where = relative('.', expression.getSourceFile().fileName);
  const text = expression.getText();
  if (text === 'undefined') return undefined;
  const known = isLiteral(expression);
  return { where, value: known ? evaluate(text, {}).value : text, known };
}

/** Whether the text of `@default` is the value; names in it are exports of the same file or of `landmarks`. */
async function says(declaration, text, value) {
  const own = await import(pathToFileURL(resolve(declaration.getSourceFile().fileName)).href);
  const landmarks = await import(pathToFileURL(resolve('packages/landmarks/src/index.ts')).href);
  const said = evaluate(text, { ...landmarks, ...own });
  return said !== undefined && isDeepStrictEqual(said.value, value);
}

/** Null and empty objects stand for something that words say better. */
function isEmpty(value) {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

function isLiteral(node) {
  if (ts.isIdentifier(node) || ts.isCallExpression(node) || ts.isNewExpression(node)) return false;
  if (ts.isPropertyAssignment(node)) return isLiteral(node.initializer);
  if (ts.isArrayLiteralExpression(node)) return node.elements.every(isLiteral);
  if (ts.isObjectLiteralExpression(node)) return node.properties.every(isLiteral);
  if (ts.isBinaryExpression(node)) return isLiteral(node.left) && isLiteral(node.right);
  if (ts.isPrefixUnaryExpression(node)) return isLiteral(node.operand);
  const { NullKeyword, TrueKeyword, FalseKeyword } = ts.SyntaxKind;
  return ts.isLiteralExpression(node) || [NullKeyword, TrueKeyword, FalseKeyword].includes(node.kind);
}

function evaluate(text, names) {
  try {
    const value = new Function(...Object.keys(names), `'use strict'; return (${text});`)(
      ...Object.values(names),
    );
    return { value };
  } catch {
    return undefined;
  }
}

function defaultOf(declaration) {
  const tag = ts.getJSDocTags(declaration).find(({ tagName }) => tagName.text === 'default');
  return tag && (ts.getTextOfJSDocComment(tag.comment) ?? '');
}

function place(declaration) {
  const source = declaration.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(declaration.getStart());
  return `${relative('.', source.fileName)}:${line + 1} ${declaration.parent.name?.text ?? ''}`;
}

function describe(value, known) {
  return known ? JSON.stringify(value) : value;
}
