import { posix } from 'node:path';
import type { AnyNode } from 'acorn';
import { importsOf, syntaxOf, visit } from './syntax.ts';

/** The folders of the program, inner first: each may import from itself and from those before it. */
export const SOURCE_FOLDERS = ['runtime', 'interceptors', 'services', 'boot'] as const;
const LONGEST_FILE = 400;

export interface SourceFile {
  /** Relative to the project, with `/`. */
  readonly path: string;
  readonly text: string;
}
type Report = (line: number, message: string) => void;

const folderOf = (path: string): string => path.split('/')[0] ?? '';
const serviceOf = (path: string): string | undefined => /^services\/([^/]+)\//.exec(path)?.[1];

const checkDirection = (from: string, to: string, line: number, report: Report): void => {
  const allowed: readonly string[] = SOURCE_FOLDERS.slice(0, SOURCE_FOLDERS.indexOf(folderOf(from) as 'boot') + 1);
  if (!allowed.includes(folderOf(to))) {
    report(line, `'${to}' is not below ${folderOf(from)}: imports point runtime <- interceptors <- services <- boot`);
    return;
  }
  const [mine, theirs] = [serviceOf(from), serviceOf(to)];
  if (mine !== undefined && theirs !== undefined && mine !== theirs && to !== `services/${theirs}/port.ts`) {
    report(line, `'${to}' belongs to another service: import services/${theirs}/port.ts`);
  }
};

const isOf = (specifier: string, name: string): boolean => specifier === name || specifier.startsWith(`${name}/`);

const checkPackage = (from: string, specifier: string, isTypeOnly: boolean, line: number, report: Report): void => {
  if (isOf(specifier, 'fengari') && !from.startsWith('runtime/lua/')) {
    report(line, 'fengari stays in runtime/lua: use the LuaEngine interface');
  }
  if (specifier === '@opentelemetry/api') {
    if (!isTypeOnly && !from.startsWith('services/otel/') && folderOf(from) !== 'boot') {
      report(line, 'only services/otel and boot use the OpenTelemetry API; elsewhere `import type`');
    }
  } else if (specifier.startsWith('@opentelemetry/') && !from.startsWith('services/otel/')) {
    report(line, `'${specifier}' stays in services/otel`);
  }
  if (/^(node:)?timers(\/promises)?$/.test(specifier) && from !== 'runtime/clock.ts' && !isTypeOnly) {
    report(line, `'${specifier}' waits: take a Clock`);
  }
  if (/^(node:)?process$/.test(specifier))
    report(line, 'use the global `process`, so that its env and exit are seen here');
};

const checkImports = ({ path, text }: SourceFile, report: Report): void => {
  for (const { specifier, line, isTypeOnly } of importsOf(text)) {
    if (specifier.startsWith('.')) checkDirection(path, posix.join(posix.dirname(path), specifier), line, report);
    else checkPackage(path, specifier, isTypeOnly, line, report);
  }
};

/** `a.b` of a member expression, `a` of an identifier; `globalThis.` is dropped. */
const nameOf = (node: AnyNode): string | undefined => {
  if (node.type === 'Identifier') return node.name;
  if (node.type !== 'MemberExpression') return undefined;
  const object = nameOf(node.object as AnyNode);
  const property = node.property as AnyNode;
  const key = property.type === 'Identifier' && !node.computed ? property.name : undefined;
  if (key === undefined) return object === undefined ? undefined : `${object}[]`;
  return object === 'globalThis' ? key : `${object}.${key}`;
};

const CLOCK =
  /^(Date\.now|performance\.(now|timeOrigin)|process\.(hrtime(\..*)?|uptime)|AbortSignal\.timeout|setTimeout|setInterval)$/;

/** Whether an identifier is read as a variable: no property name, key or declared name. */
const isReference = (node: AnyNode, parent: AnyNode | undefined): boolean => {
  if (node.type !== 'Identifier' || parent === undefined) return node.type === 'MemberExpression';
  switch (parent.type) {
    case 'MemberExpression':
      return parent.object === node || parent.computed;
    case 'Property':
      return parent.value === node || parent.computed;
    case 'ImportSpecifier':
    case 'ExportSpecifier':
      return false;
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return parent.value === node || parent.computed;
    default:
      return true;
  }
};

const checkNode = (path: string, node: AnyNode, parent: AnyNode | undefined, report: Report): void => {
  const line = node.loc?.start.line ?? 0;
  const name = isReference(node, parent) ? nameOf(node) : undefined;
  const isClock = path === 'runtime/clock.ts';
  if (name !== undefined) {
    if (!isClock && CLOCK.test(name)) report(line, `${name} outside runtime/clock.ts: take a Clock`);
    const inBoot = folderOf(path) === 'boot';
    if (!inBoot && (name === 'process.env' || name === 'process.exit' || name === 'process.exitCode')) {
      report(line, `${name} outside boot`);
    }
  }
  if (node.type === 'NewExpression' || node.type === 'CallExpression') {
    const callee = nameOf(node.callee as AnyNode);
    const readsTime = callee === 'Date' && (node.type === 'CallExpression' || node.arguments.length === 0);
    if (!isClock && readsTime) report(line, 'Date without a time outside runtime/clock.ts: take a Clock');
  }
  if (
    node.type === 'ImportExpression' ||
    (node.type === 'CallExpression' && /^require(\.resolve)?$/.test(nameOf(node.callee as AnyNode) ?? ''))
  ) {
    const target = (node.type === 'ImportExpression' ? node.source : node.arguments[0]) as AnyNode | undefined;
    if (target?.type === 'Literal' && typeof target.value === 'string' && !target.value.startsWith('.')) {
      checkPackage(path, target.value, false, line, report);
    }
  }
  if (node.type === 'ExportDefaultDeclaration') report(line, 'a default export: name it');
  if (node.type === 'ExportAllDeclaration') report(line, '`export *`: import from the file that declares it');
  if (node.type === 'VariableDeclaration' && node.kind !== 'const') {
    if (parent?.type === 'Program' || parent?.type === 'ExportNamedDeclaration') {
      report(line, `a module-level \`${node.kind}\`: state belongs to what a factory returns`);
    }
  }
};

/** Everything that architecture.md forbids in this file, as `path:line: text`. */
export const violationsOf = (file: SourceFile): string[] => {
  const found: string[] = [];
  const report: Report = (line, message) => {
    found.push(`${file.path}:${line}: ${message}`);
  };
  checkImports(file, report);
  try {
    visit(syntaxOf(file.text), (node, parent) => checkNode(file.path, node, parent, report));
  } catch (error) {
    report(1, `cannot be parsed: ${error instanceof Error ? error.message : String(error)}`);
  }
  const lines = file.text.split('\n').length - 1;
  if (lines > LONGEST_FILE) report(lines, `${lines} lines, at most ${LONGEST_FILE}: split it by reason to change`);
  return found;
};
